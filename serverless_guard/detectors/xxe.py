"""SG-XXE-001: XML that makes its parser read or fetch something (CWE-611, CWE-776, CAPEC-221), XInclude and XSLT too.

Looks at declarations: a document type with entities of its own, an external identifier, a parameter entity; an XInclude
element; a style sheet that calls code or reads documents. XML without such declarations, and the public document types of
HTML and SVG, are harmless.

Attack:             `<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/hosts">]><a>&b;</a>`
Harmless near miss: `<!DOCTYPE html><html lang="en"><p>entity</p></html>`

References: https://cwe.mitre.org/data/definitions/611.html, https://www.w3.org/TR/xml/#sec-entity-decl
"""

from __future__ import annotations

from serverless_guard.detectors import Evidence
from serverless_guard.words.patterns import pattern

RULE = "SG-XXE-001"
CWE = 611
TITLE = "XML that makes its parser read or fetch something"
NEEDS = (("<!", "entity"), ("<!", "doctype"), "xinclude", ("include", "href"), ("xsl", "<"), "schemalocation", ("<!", "notation"), ("import", "<"))


def detect(text: str, where: str) -> Evidence | None:
    """Evidence that an XML parser would read, fetch or blow up."""
    low = text.lower()
    if "\x00" in low:
        low = low.replace("\x00", "")  # UTF-16 read as bytes
    if "<!" in low:
        found = ENTITY.search(low)
        if found:
            return Evidence("high", "external entity" if found[1] else "entity declaration")
        for found in DOCTYPE.finditer(low):
            if not HARMLESS.match(low, found.end()):
                return Evidence(
                    "high" if found[1] in ("system", "public") and "[" in low[found.end() :] else "medium", "document type with an external identifier"
                )
    if "include" in low and XINCLUDE.search(low):
        return Evidence("high", "XInclude element")
    if "xsl" in low:
        if XSLT_CODE.search(low):
            return Evidence("high", "style sheet that calls code or reads documents")
        if "<xsl:" in low and XSLT.search(low):
            return Evidence("medium", "style sheet")
    return None


ENTITY = pattern(r"<!\s{0,8}entity\s+(?:%\s*)?[^\s<>\"'&;]{1,128}\s+(?:(system|public)\b|[\"'])|<!notation\s+\S{1,128}\s+(?:system|public)")
DOCTYPE = pattern(r"<!\s{0,8}doctype\s+[^\s<>\[]{1,128}\s+(system|public)\s*[\"']")
HARMLESS = pattern(
    r"-//(?:w3c|ietf|oasis|apple|sun|netscape|wapforum|openmobilealliance)|about:legacy-compat|[+-]//[^\"']{1,128}//(?:dtd|en)|https?://(?:www\.)?(?:w3\.org|"
    r"apple\.com|java\.sun\.com|oasis-open\.org)/"
)
XINCLUDE = pattern(r"http://www\.w3\.org/2001/xinclude|<\w{1,32}:include\s[^<>]{0,512}(?:href|parse)\s*=")
XSLT_CODE = pattern(
    r"xmlns:\w{1,32}\s*=\s*[\"'](?:http://xml\.apache\.org/xalan/java|http://saxon\.sf\.net/|urn:schemas-microsoft-com:xslt|http://php\.net/xsl|"
    r"http://exslt\.org/common|http://icl\.com/saxon|xalan://|java:)"
    r"|<\w{1,32}:script\b|(?:php:function|runtime:exec|rt:exec|document\s?\(\s?[\"'](?:file|https?|/|\.\.)|unparsed-text\s?\(|"
    r"system-property\s?\(\s?[\"']xsl:|<xsl:(?:include|import)\s[^<>]{0,256}href|exsl:document|<xsl:result-document|doc\s?\(\s?[\"'])"
)
XSLT = pattern(r"<xsl:(?:stylesheet|transform|template)\b")
