"""What expressions and directives of template engines look like when they reach out of the template."""

from __future__ import annotations

from serverless_guard.words.patterns import pattern

DIRECTIVES = (  # (literal in lower case that must occur, pattern that starts with it, strength)
    ("#", r"#(?:set|foreach|include|parse|evaluate|define)\s{0,4}\(\s{0,4}[\$\"']", 3),
    ("<#", r"<#(?:assign|include|import|function|macro|list|setting|if|attempt|visit|recurse)\s[^>]{1,400}", 2),
    ("[#", r"\[#(?:assign|include|import|function|macro|list|setting|if|attempt|visit|recurse)\s[^\]]{1,400}", 2),
    (".getclass", r"\$!?\{?\w{1,40}\.getclass\s?\(", 3),
    (".class.", r"\$!?\{?\w{1,40}\.class\.(?:for|get)", 3),
    (".inspect", r"\$!?\{?\w{1,40}\.inspect\s?\(", 3),
    ("php}", r"php\}", 3),
    ("{self::", r"\{self::\w", 3),
    ("{smarty_", r"\{smarty_\w", 3),
    ("{if ", r"\{if\s{1,4}(?:system|exec|passthru|shell_exec|phpinfo|readfile|file_get_contents)\s{0,2}\(", 3),
    ("{system", r"\{system\s{0,2}\(", 3),
    ("{exec", r"\{exec\s{0,2}\(", 3),
    ("{passthru", r"\{passthru\s{0,2}\(", 3),
    ("{shell_exec", r"\{shell_exec\s{0,2}\(", 3),
    ("{phpinfo", r"\{phpinfo\s{0,2}\(", 3),
    ("{readfile", r"\{readfile\s{0,2}\(", 3),
    ("{file_get_contents", r"\{file_get_contents\s{0,2}\(", 3),
    ("{fetch", r"\{fetch\s{1,4}file", 2),
    ("{include", r"\{include\s{1,4}file", 2),
    ("{math", r"\{math\s{1,4}equation", 2),
    ("{{", r"\{\{\s{0,2}[#&]?(?:with|each|lookup)\s{1,4}(?:\(|\"[^\"]{0,80}\"|\S{1,60}\s{1,4}as\s{1,4}\|)", 2),
    ("{{<%", r"\{\{<%", 2),
    ("@system.", r"@system\.\w", 3),
    ("@html.", r"@html\.(?:raw|partial|action)\s?\(", 2),
    ("@using", r"@using\s{1,4}system\b", 2),
    ("{{", r"\{\{\s{0,2}(?:call|printf|index)\s{1,4}[.\"$]", 2),
    ("${.", r"\$\{\.(?:data_model|main|globals|namespace|vars|version|template_name)\b", 3),
    ("[[${", r"\[\[\$\{", 2),
)
"""Directives that do something by themselves."""

STRONG = pattern(
    r"__\w{2,40}__|(?<![\w$])_(?:self|context|charset|_mmarker|\.|globals)|getClass\b|\bclass\.(?:forName|getResource|protectionDomain|"
    r"classLoader|inspect|module)|\.class\.|\bforName\b|getRuntime|ProcessBuilder|\bT\s{0,2}\(|\?\s?(?:new|api|eval|interpret)\b|freemarker\.|"
    r"\bnew\s{1,4}[\w.]+\s{0,2}[(\[{]|\bjavax?\.\w|\borg\.\w+\.\w|\bgroovy\.|require\s{0,2}\(|child_process|\bprocess\.(?:binding|env|mainModule|"
    r"exit)|\bconstructor\b|templateSettings|registerUndefined|"
    r"\b(?:system|exec|shell_exec|passthru|popen\d?|proc_open|eval|assert|call_user_func(?:_array)?|file_get_contents|file_put_contents|phpinfo|"
    r"readfile|execSync|spawn_sync|getenv|include_once|instance_eval|define_method)\b\s{0,2}(?=[(\"'`|\]])|"
    r"['\"](?:system|exec|shell_exec|passthru|popen|call_user_func|assert|phpinfo|ini_set|file_get_contents)['\"]|\|\s{0,2}(?:filter|map|sort|"
    r"reduce|attr|passthru|system|exec)\s{0,2}\(|[|~]\s{0,2}(?:passthru|system|shell_exec)\b|"
    r"\b(?:lipsum|cycler|joiner|namespace|url_for|get_flashed_messages|range)\s{0,2}[.(|\[]\s{0,2}[_a-z'\"]{2}|\bself\.(?:module|template|attr|"
    r"context|_|init)|\b(?:config|settings|request|app|session|g|handler)\.(?:items|iteritems|application|class|setAttribute|getAttribute|request|"
    r"SECRET|from_|__|settings)|\bconfig\s{0,2}\[|"
    r"\b(?:File|IO|Dir|Kernel|Process|System|Open4|Open3|Runtime|Object|Reflect|Class|Files|Paths|Scanner|Erlang|Code|Node)(?:\.|::|"
    r"\s{0,2}=)\s?\w|\bos\.(?:system|popen|environ|exec)|\bsubprocess\b|\b(?:getSession|setAttribute|readAllBytes|getText|classLoader|"
    r"protectionDomain|getMethod|getDeclared|newInstance|invoke)\b|"
    r"#_memberAccess|#context|@java\.|@ognl|\$smarty\.|\bSmarty\b|/etc/|`[^`\n]{1,200}`|%x[({\[|!]|\bimport\s{1,4}\w|\brequire\s{1,4}['\"]|"
    r"\bwrite\s{0,2}\(|\bglobals\s{0,2}\(|\bdump\s{0,2}\(|\{[^{}]{0,80}(?:options|shell_exec)['\"]",
)
"""What reaches out of an expression: classes, functions that run, filters that call."""

HINT_WORDS = """
_self _context _charset _env _globals _mmarker getClass class forName getRuntime ProcessBuilder freemarker new java javax org groovy require
child_process process constructor templateSettings
registerUndefinedFilterCallback registerUndefinedFunctionCallback system exec shell_exec passthru popen popen2 popen3 popen4 proc_open eval assert
call_user_func call_user_func_array
file_get_contents file_put_contents phpinfo readfile execSync spawn_sync getenv include_once instance_eval define_method ini_set lipsum cycler joiner
namespace url_for get_flashed_messages range self config
settings request app session handler File IO Dir Kernel Process System Open4 Open3 Runtime Object Reflect Class Files Paths Scanner Erlang Code Node
os subprocess getSession setAttribute readAllBytes getText
classLoader protectionDomain getMethod getMethods getDeclaredConstructors getDeclaredMethods newInstance invoke context Smarty import write globals
dump options
"""
"""Words without which, or without one of the marks, no expression reaches out: cheaper to look up than `STRONG` is to try."""

LATEX = pattern(
    r"(?<![\w:\\])\\(?:(?:input|include|verbatiminput|lstinputlisting|InputIfFileExists|import|usepackage|directlua|pdffiledump|"
    r"loop)\s{0,3}[\[{|/\\]|write18\b|immediate\s{0,3}\\|(?:open(?:in|out)|newread|newwrite|read)\s{0,3}(?:\\|\d)|catcode\s{0,3}[`\d\\]|csname\b|"
    r"(?:url|href|unicode)\{\s{0,3}(?:javascript|file|run):|def\\\w+\{|[a-z]+\{[^{}]{0,40}/etc/)"
)
"""Commands of LaTeX that read, write or run."""
