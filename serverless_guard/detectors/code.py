r"""Source code that would run if the value reached an `eval`: Python first, then PHP, JavaScript, Java, Perl, Ruby.

SG-COD-001, CWE-94 (CWE-95).

The value is asked for structure that data does not have: a chain of dunder attributes, a call of something that runs, reads or
imports, a call through a variable, a tag that opens a script, an expression that leaves a string (`'+x()+'`) and
calls. Source files and snippets in prose have all of that without any aim, so a value of many lines, or a sentence around
the code, leaves only what nobody writes by chance.

    attack          1 if __import__('os').popen('id').read() else 0
    near miss       def f(self): super().__init__()  and  sort_by(people, &age)  and  call me (again) on Monday

High: reaching for the interpreter or the system. Medium: any call of a function of PHP's library, a call through a variable, an endless loop.
Low: in a text.

https://cwe.mitre.org/data/definitions/94.html  https://owasp.org/www-community/attacks/Code_Injection
"""

from __future__ import annotations

import re

from serverless_guard.detectors import Evidence
from serverless_guard.detectors.words.patterns import pattern

RULE = "SG-COD-001"
CWE = 94
TITLE = "source code that would run in an interpreter"
NEEDS = (
    "(",
    "<?",
    "__",
    "$_",
    ("$", "{"),
    ("$", "["),
    "java.",
    "xwork",
    "@{",
    "require[",
    "process",
    "php]",
    "php}",
    "os.",
    "subprocess",
    ("_", "="),
    "com.",
    ".system",
    "import",
)

_PYTHON = pattern(
    r"__(?:import__|builtins__|globals__|subclasses__|mro__|bases?__|code__|class__\s{0,2}\.\s{0,2}__|loader__|getattribute__|reduce(?:_ex)?__)|"
    r"\.__class__\b|(?<![\w.])(?:eval|exec|compile|execfile)\s{0,3}\(|"
    r"\bos\s{0,2}\.\s{0,2}(?:system|popen\w?|exec[lv]\w{0,2}|spawn\w{1,3}|remove|environ|fork|getenv|listdir|unlink)\b|"
    r"\bsubprocess\s{0,2}\.\s{0,2}\w|\bpty\.spawn|\bimportlib\b|\bbreakpoint\s{0,2}\(\s{0,2}\)|"
    r"(?<![\w.])open\s{0,2}\(\s{0,2}['\"](?:[^'\"\n]{1,200}['\"]\s{0,2},|[^'\"\n]{0,200}[/.\\][^'\"\n]{0,100}['\"]\s{0,2}\))|"
    r"\b(?:globals|locals|vars)\s{0,2}\(\s{0,2}\)|\bgetattr\s{0,2}\(|\bsetattr\s{0,2}\(|\bimport\s{1,4}(?:os|sys|subprocess|socket|pty|shutil|"
    r"builtins|ctypes|commands)\b|\bfrom\s{1,4}(?:os|subprocess|sys|pty|builtins)\s{1,4}import\b|\b(?:marshal|pickle|shelve|cPickle)\.loads?\b|"
    r"\bsys\.(?:modules|exit|path|stdout)\b|\b(?:code|codeop|runpy)\.(?:interact|run_\w+)"
)
_NOBODY = pattern(
    r"__subclasses__|__globals__|__builtins__|__import__\s{0,2}\(|\(\)\s{0,2}\.\s{0,2}__class__|['\"\]]\s{0,2}\.__class__|__mro__\s{0,2}\[|_\$\$ND_FUNC"
)
_PHP_TAG = pattern(
    r"<\?(?:php\b|=|\s{0,6}(?:echo|print|exec|system|eval|passthru|shell_exec|include|require|phpinfo|assert|die|exit|\$|@|`|/\*)|xml\s{0,3}:)|"
    r"<script\s[^>]{0,40}language\s{0,3}=\s{0,3}['\"]?php|\[[\\/]?php\]|\{/?php\}|<%\s{0,4}(?:eval|execute)\b",
    re.I,
)
_PHP_RUNS = pattern(
    r"(?<![\w.>])(?:system|exec|passthru|shell_exec|popen|proc_open|pcntl_exec|assert|eval|create_function|call_user_func(?:_array)?|"
    r"base64_decode|gzinflate|gzuncompress|str_rot13|file_get_contents|file_put_contents|fopen|fwrite|fsockopen|pfsockopen|readfile|"
    r"include(?:_once)?|require(?:_once)?|highlight_file|show_source|phpinfo|phpversion|phpcredits|php_uname|php_sapi_name|getenv|putenv|ini_set|"
    r"ini_get|set_time_limit|dl|mail|unlink|chmod|symlink|move_uploaded_file|unserialize|preg_replace|array_map|array_filter|usort|"
    r"register_shutdown_function|error_log|print_r|var_dump|var_export|scandir|opendir|parse_str|ob_start|get_defined_vars|get_defined_constants|"
    r"func_get_args|(?:die|mail|glob|extract|dl|md5|printf?)(?=\s{0,2}\(\s{0,2}['\"$\d])|"
    r"posix_\w+)(?:\s{0,6}(?:/\*.{0,40}?\*/)?\s{0,4}\((?=\s{0,4}['\"$)/@\d])|\()",
    re.I | re.S,
)
_PHP_LIBRARY = pattern(
    r"(?:apache|apcu|array|base64|bz|call_user|class|ctype|curl|date|db2|debug|dns|ereg|error|exif|fastcgi|file|filter|finfo|forward_static|fsock|"
    r"ftp|func_get|function|get|getmy|gettype|gzip|gz|gzinflate|hash|header|headers|highlight|html|http|ibase|iconv|idn|image|imagick|imap|inet|"
    r"ini|intl|is|iterator|json|"
    r"ldap|libxml|mb|mcrypt|mhash|mysql|mysqli|ob|oci|odbc|opcache|openssl|output|parse|passthru|password|pcntl|pg|php|phpdbg|posix|preg|proc|"
    r"pspell|random|readline|realpath|register|rrd|sapi|sem|session|set|shell|shm|shmop|simplexml|snmp|socket|sodium|spl|sqlite|sqlsrv|ssh2|"
    r"stream|str|strpos|sybase|sys|tidy|token|uopz|url|utf8|var|wincache|xdebug|xml|xmlrpc|yaml|zend|zip|zlib)"
    r"_[a-z0-9_]{2,60}\s{0,4}\(|(?:substr|strrev|strtr|str_?split|chr|ord|implode|explode|gzinflate|fsockopen|tempnam|tmpfile|fgets|fputs|fread|"
    r"feof|curl_exec|is_?array)\s{0,2}\(\s{0,2}[$)'\"]",
    re.I,
)
_PHP_CALLED = pattern(
    r"\$\{?[\w$]{0,40}\}?(?:[\[{][^\]}\n]{0,40}[\]}]){0,3}\s{0,4}\((?=[^\n]{0,200}\))|[\[(]\s{0,4}(?:\([a-z]+\)\s{0,4})?[\"']?(?:system|exec|"
    r"passthru|shell_exec|assert|eval|phpinfo|popen)[\"']?\s{0,4}(?:/\*[^*]{0,40}\*/)?\s{0,4}[\])](?:\s{0,2}\[\d\])?\s{0,4}(?:[})]\s{0,4})?\(|"
    r"\(\s{0,4}/\*[^*]{0,40}\*/\s{0,4}\w{2,20}\s{0,4}\)\s{0,4}\(|\(string\)|\(\s{0,4}[\"']\w{1,20}[\"']\s{0,2}\.\s{0,2}[\"']\w{1,20}[\"']\s{0,4}\)\s{0,4}\("
)
_PHP_VARIABLE = pattern(
    r"\$(?:_(?:GET|POST|REQUEST|COOKIE|SERVER|FILES|ENV|SESSION)|GLOBALS|HTTP_(?:RAW_POST_DATA|\w{2,8}_VARS))\s{0,4}(?:\[|\{|\))|\{\$\{|"
    r"\$\{\s{0,3}[@'\"]|\$\s{1,200}\{|\$\{\w{1,20}\s{0,2}\(|;\s{0,3}\{\s{0,3}\$_",
    re.I,
)
_PHP_INI = pattern(
    r"\s{0,4}(?:allow_url_(?:include|fopen)|auto_(?:prepend|append)_file|disable_functions|open_basedir|memory_limit|safe_mode|suhosin\.\w{1,40}|"
    r"opcache\.\w{1,40}|cgi\.\w{1,40}|session\.\w{1,40}|zend\.\w{1,40}|error_reporting|display_errors|"
    r"max_execution_time)\s{0,4}=\s{0,4}[\w/:.\"'-]{1,80}\s{0,4}\Z",
    re.I,
)
_SCRIPT = pattern(
    r"\brequire\s{0,3}\(\s{0,3}['\"`]?(?:node:)?(?:child_process|fs|os|net|http|vm|util|process|module|cluster|worker_threads)\b|\brequire\[|"
    r"\brequire\.main\b|\bprocess\s{0,3}(?:\.\s{0,3}(?:env|exit|mainModule|binding|kill|argv|cwd|platform|versions?|dlopen)\b|\[\s{0,3}['\"])|"
    r"\bglobal(?:This)?\.process\b|\bchild_process\b|\bconstructor\s{0,3}(?:\.|\[['\"])\s{0,3}constructor|"
    r"\[['\"]constructor['\"]\]|\.constructor\s{0,3}\(|\bnew\s{1,6}Function\s{0,6}\(|\bFunction\s{0,3}\(\s{0,3}['\"`]|"
    r"\bString\s{0,3}\.\s{0,3}fromCharCode\b|_\$\$ND_FUNC\$\$_|\bconsole\s{0,3}\.\s{0,3}(?:log|info|error|warn|debug|dir|table|trace)(?:\.(?:call|"
    r"apply|bind))?\s{0,3}\(|"
    r"\bwhile\s{0,3}\(\s{0,3}(?:!|-|\+|~|true\b|1\b|new\s|['\"`\[{(]|Infinity|Date)[^)\n]{0,40}\)?\)\s{0,3};?|"
    r"\bfor\s{0,3}\(\s{0,3};\s{0,3};\s{0,3}\)|\bsetTimeout\s{0,3}\(|\bsetInterval\s{0,3}\(|\bimport\s{0,3}\(\s{0,3}['\"]|\bthis\.constructor\b|"
    r"\.mainModule\b|\bReflect\.\w+\(|\beval\s{0,3}\(|\bunescape\s{0,3}\(|\bBuffer\.from\s{0,2}\(|\bexecSync\b|\bspawnSync\b"
)
_JAVA = pattern(
    r"\bjava\.(?:lang\.(?:Runtime|ProcessBuilder|System|Class|Thread|reflect)|io\.(?:File|FileInputStream|InputStream|BufferedReader|"
    r"ObjectInputStream)|net\.(?:URL|Socket)|util\.Scanner|(?:Runtime|ProcessBuilder)|beans\.)|\bgetRuntime\s{0,2}\(|\bnew\s{1,4}ProcessBuilder\b|"
    r"\bcom\.(?:opensymphony\.xwork2?|sun\.org\.apache|sun\.rowset|ibm\.)|"
    r"#_memberAccess|#(?:context|application|parameters|request|session|attr)\s{0,2}[.=\[]|@(?:java|ognl|org|com)\.[\w.]+@|\bognl\.\w|"
    r"\bxwork\.MethodAccessor|\bClass\.forName\s{0,2}\(|\bgetClass\s{0,2}\(\s{0,2}\)\s{0,2}\.|\bprocessbuilder\b|\bjavax\.(?:script|naming)\.\w|"
    r"\bScriptEngineManager\b|\bClassLoader\b",
)
_PERL_RUBY = pattern(
    r"@{1,6}\{\s{0,4}\[|@\{\s{0,4}\[|\bCORE::\w|\bKernel\s{0,2}(?:\.|::)\s{0,2}\w|\bProcess\.(?:spawn|exec|kill|fork|daemon|exit|clock_gettime|"
    r"wait)\b|\bIO\.(?:popen|read|sysopen|binread)\b|\bFile\.(?:read|open|write|delete|new)\s{0,2}[(\"']|\bOpen3\.\w|%x[\[({|!]|"
    r"\b(?:instance_eval|class_eval|define_method|const_get|public_send|instance_variable_get)\b|"
    r"\bDir\.(?:glob|entries|\[)|\b(?:qx|qw)\s{0,2}[{(/]|\bObject\.const_get\b|\bERB\.new\b|\bYAML\.load\b|\bMarshal\.load\b"
)
_BREAKS = pattern(r"\A[^\n'\"]{0,60}['\"][\s)\]}]{0,4}(?:[+;.,|&]|\bor\b|\band\b|\bif\b)\s{0,4}[^\n]{0,400}\(")
_PROSE = pattern(r"[a-z]{2,} [a-z]{2,} [a-z]{2,} ")


def detect(text: str, where: str) -> Evidence | None:
    """Evidence that `text` is code that would run; linear in its length."""
    lines = text.count("\n")
    if (len(text) > 400 and lines > 3) or lines > 6:
        if "__" in text or "_$$" in text:
            found = _NOBODY.search(text)
            if found and not re.search(r"^\s*(?:def|class|import|from) \w", text, re.M):
                return Evidence("medium", "dunder chain, in a text")
        return None
    low = text.lower()
    prose = _is_prose(text)
    if ("<?" in text or "php" in low or "<%" in text or "<script" in low) and _PHP_TAG.search(text):
        return Evidence("low" if prose else "high", "tag that opens a script")
    if "__" in text or "(" in text or "import" in text or "sys." in text or "os." in text:
        found = _PYTHON.search(text)
        if found:
            if prose and not _NOBODY.search(text):
                return None
            return _graded(found[0], text, prose)
    if "$" in text:
        if _PHP_VARIABLE.search(text):
            return Evidence("low" if prose else "high", "variable of the request or of variables")
        if "(" in text and not prose and text.count(" ") < 6 and _called(text):
            return Evidence("medium", "call through a variable")
    if "(" in text and not prose:
        found = _PHP_RUNS.search(text)
        if found and _calls(text, found.start()):
            strong = re.match(
                r"(?:system|exec|passthru|shell_exec|popen|proc_open|pcntl|assert|eval|phpinfo|create|call_user|base64_decode|gzinflate|php)", found[0], re.I
            )
            if strong or ("\n" not in text.strip() and text[found.start() - 1 : found.start()] != "@"):
                return Evidence("high" if strong else "medium", "call that runs or reads")
        found = _PHP_LIBRARY.search(text)
        if found and _calls(text, found.start()) and text.count(" ") < 6:
            return Evidence("medium", "call of PHP's library")
        if _PHP_CALLED.search(text) and "$(" not in text and ("$" not in text):
            return Evidence("high", "call through a string")
    if "=" in text and len(text) < 200 and _PHP_INI.match(text):
        return Evidence("medium", "setting of the interpreter")
    if not prose or "child_process" in text or "fromCharCode" in text:
        found = _SCRIPT.search(text)
        if found and not (found[0].startswith(("console", "setT", "setI")) and text.count(" ") > 12):
            return Evidence(
                "high" if any(map(found[0].__contains__, ("require", "process", "constructor", "Function", "ND_FUNC", "Code", "eval"))) else "medium",
                "JavaScript that runs",
            )
    if "." in text or "#" in text or "processbuilder" in low or "ClassLoader" in text:
        found = _JAVA.search(text) or (re.search(r"\bprocessbuilder\b", low) if "processbuilder" in low else None)
        if found and (not prose or "@" in found[0]):
            return Evidence(
                "high" if any(map(low.__contains__, ("runtime", "processbuilder", "@java", "memberaccess", "forname", "scriptengine"))) else "medium",
                "Java class that runs",
            )
    if not prose and ("@{" in text or "::" in text or "." in text or "%x" in text or "_" in text or "q" in text):
        found = _PERL_RUBY.search(text)
        if found:
            return Evidence("high" if found[0][0] in "@%" or "(" in text else "medium", "Perl or Ruby that runs")
    return None


def _is_prose(text: str) -> bool:
    """Whether words stand around the code as in a sentence."""
    if text.count(" ") < 6:
        return False
    bare = re.sub(r"[\"'][^\"']{0,400}[\"']", "", text[:4000])
    return len(_PROSE.findall(bare)) * 30 > len(bare) // 4 or bare.count(" ") * 5 > len(bare)


def _graded(found: str, text: str, prose: bool) -> Evidence | None:
    """Python at its weight: reaching for the interpreter, or a call that code has every day."""
    if _NOBODY.search(text):
        return Evidence("medium" if prose else "high", "Python that reaches for the interpreter")
    if found.startswith((".__class__", "getattr", "setattr", "import", "from", "sys.", "vars", "locals")):
        if text.count(" ") > 8 or "\n" in text.strip():
            return None
        return Evidence("medium", "Python that looks behind an object")
    if "\n" in text.strip() and not re.match(r"\s*\w{0,12}\s*\n?\s*(?:eval|exec|__)", text):
        return Evidence("low", "Python call that runs, in a few lines") if found.startswith(("eval", "exec", "os", "subprocess")) else None
    return Evidence("high", "Python call that runs or reads")


def _calls(text: str, at: int) -> bool:
    """Whether the call stands where code would begin: at the start, or after what ends a statement or a string."""
    before = text[max(0, at - 12) : at]
    return (
        not before.strip()
        or before.rstrip()[-1:] in ";|&'\"`(){}=/@<>:,.!+-[\\\n"
        or before[-1:].isalnum()
        or before.rstrip().lower().endswith(("echo", "return", "print", "<?php", "<?", "or", "and"))
    )


def _called(text: str) -> bool:
    """A call through a variable, as PHP has it: not jQuery, not a price."""
    for found in re.finditer(r"(?<![\w.])@?\${1,3}(?:[A-Za-z_]\w{0,40}|\{[^{}\n]{1,40}\})(?:[\[{][^\]}\n]{0,40}[\]}]){0,3}\(", text):
        name = found[0].strip("$@( ")
        if name and name not in ("q", "http", "scope", "timeout", "window", "document", "this", "jq"):
            return True
    return False
