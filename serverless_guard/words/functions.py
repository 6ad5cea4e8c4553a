"""Names of functions that run, read or reveal something, by what a call of one is worth."""

from __future__ import annotations

from serverless_guard.values import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Literal, TypeAlias

    Confidence: TypeAlias = Literal["high", "medium", "low"]

RUNS = """
__import__ assert base64_decode breakpoint call_user_func call_user_func_array create_function eval exec execfile execSync fork forName fromCharCode
getRuntime
gzinflate gzuncompress passthru pcntl_exec phpcredits phpinfo phpversion php_uname popen popen2 popen3 popen4 proc_open shell_exec spawnSync str_rot13 system
win32_shell_execute wscript_shell
"""
"""A call of these is code, and does something."""

READS = """
array_filter array_map array_walk chmod chr curl_exec dl error_log explode extract fgets file_get_contents file_put_contents fopen fputs fread
fsockopen func_get_args fwrite
get_defined_constants get_defined_vars getattr getenv glob globals highlight_file implode include include_once ini_get ini_set is_array locals mail
md5 move_uploaded_file
ob_start opendir ord parse_str pfsockopen preg_replace print_r putenv readfile register_shutdown_function require require_once scandir
set_time_limit setattr
show_source strrev substr symlink tempnam tmpfile unlink unserialize usort uasort uksort var_dump var_export vars die compile open unescape setTimeout
setInterval spawn
instance_eval class_eval define_method const_get public_send instance_variable_get
"""
"""A call of these is code when it looks like code: an argument in quotes or a variable, or none, right after the name."""

PREFIXES = frozenset(
    (
        "apache", "apcu", "array", "base64", "bz", "call", "ctype", "curl", "date", "db2", "debug", "dns", "ereg", "error", "exif", "fastcgi",
        "file", "filter", "finfo", "forward", "fsock", "ftp", "func", "function", "get", "getmy", "gettype", "gz", "gzip", "hash", "header",
        "headers", "highlight", "html", "http", "ibase", "iconv", "idn", "image", "imagick", "imap", "inet", "ini", "intl", "is", "iterator",
        "json", "ldap", "libxml", "mb", "mcrypt", "mhash", "mysql", "mysqli", "ob", "oci", "odbc", "opcache", "openssl", "output", "parse",
        "passthru", "password", "pcntl", "pg", "php", "phpdbg", "posix", "preg", "proc", "pspell", "random", "readline", "realpath", "register",
        "rrd", "sapi", "sem", "session", "set", "shell", "shm", "shmop", "simplexml", "snmp", "socket", "sodium", "spl", "sqlite", "sqlsrv", "ssh2",
        "stream", "str", "sybase", "sys", "tidy", "token", "uopz", "url", "utf8", "var", "wincache", "xdebug", "xml", "xmlrpc", "yaml", "zend",
        "zip", "zlib",
    )
)  # fmt: skip
"""What the functions of PHP's extensions begin with, before the first underscore."""

ENGLISH = frozenset(
    (
        "open", "die", "mail", "glob", "extract", "md5", "compile", "include", "require", "chr", "ord", "vars", "locals", "globals", "spawn", "dl",
        "settimeout", "setinterval",
    )
)  # fmt: skip
"""Words of other languages too: a call of these must have an argument as code has it, right behind the name."""

MODULES = frozenset(
    (
        "os",
        "sys",
        "subprocess",
        "socket",
        "pty",
        "shutil",
        "builtins",
        "ctypes",
        "commands",
        "platform",
        "importlib",
        "multiprocessing",
        "urllib",
        "requests",
    )
)
"""Modules of Python whose import in a value is no accident."""

SNIPPETS: tuple[tuple[str, str, Confidence, str], ...] = (  # (what must occur, pattern that starts with it, confidence, shape)
    (
        "<?",
        r"<\?(?:php\b|=|\s{0,6}(?:echo|print|exec|system|eval|passthru|shell_exec|include|require|phpinfo|assert|die|exit|\$|@|`|/\*)|xml\s{0,3}:)",
        "high",
        "tag that opens PHP",
    ),
    ("php]", r"php\]", "medium", "tag that opens PHP"),
    ("php}", r"php\}", "high", "tag that opens PHP"),
    ("<%", r"<%\s{0,4}(?:eval|execute)\b", "high", "tag that opens ASP"),
    ("$_", r"\$_(?:get|post|request|cookie|server|files|env|session)\s{0,4}[\[{)]", "high", "variable of the request"),
    ("$globals", r"\$globals\s{0,4}[\[{]", "high", "variable of the request"),
    ("${", r"\$\{\s{0,3}(?:[@'\"]|(?:system|exec|eval|phpinfo|passthru|shell_exec|assert|print|sleep|md5)\s{0,2}\()", "high", "variable of variables"),
    ("{${", r"\{\$\{", "high", "variable of variables"),
    ("$ ", r"\$\s{1,200}\{\s", "medium", "variable of variables"),
    (
        "__",
        r"__(?:builtins|globals|subclasses|class__\s{0,2}\.\s{0,2}__(?:mro|bases?|init|dict))__|(?<=[.\['\"])__(?:mro|bases?|code|loader|getattribute|"
        r"reduce(?:_ex)?|dict)__",
        "high",
        "Python that reaches for the interpreter",
    ),
    (".__class__", r"\.__class__\b", "medium", "Python that looks behind an object"),
    (
        "os",
        r"os\s{0,2}\.\s{0,2}(?:system|popen\w?|exec[lv]\w{0,2}|spawn\w{1,3}|environ|fork|getenv|listdir|unlink|getcwd|walk|kill|chmod)\b",
        "high",
        "Python call that runs or reads",
    ),
    ("subprocess", r"subprocess\s{0,2}\.\s{0,2}(?:run|popen|call|check_\w+|getoutput|getstatusoutput)\b", "high", "Python call that runs or reads"),
    ("importlib", r"importlib(?:['\"]\))?\s{0,2}\.\s{0,2}(?:import_module|reload|__import__)\b", "high", "Python that imports"),
    ("pty.", r"pty\.spawn", "high", "Python call that runs or reads"),
    ("sys.", r"sys\.(?:modules\s{0,2}\[|exit\s{0,2}\()", "medium", "Python that looks behind an object"),
    ("ctypes.", r"ctypes\.(?:cdll|pythonapi|util)\b", "high", "Python call that runs or reads"),
    ("shutil.", r"shutil\.(?:rmtree|copy\w{0,4}|move)\s{0,2}\(", "high", "Python call that runs or reads"),
    ("code.interact", r"code\.interact\s{0,2}\(", "high", "Python call that runs or reads"),
    ("pdb.", r"pdb\.set_trace\s{0,2}\(", "high", "Python call that runs or reads"),
    ("reflectionfunction", r"reflectionfunction\s{0,2}\(", "high", "call through a string"),
    ("time.sleep", r"time\.sleep\s{0,2}\(\s{0,2}\d", "high", "Python call that runs or reads"),
    ("socket.", r"socket\.(?:socket|create_connection|gethostby\w{1,12})\s{0,2}\(", "medium", "Python call that runs or reads"),
    ("urlopen", r"urlopen\s{0,2}\(\s{0,2}f?['\"]", "medium", "Python call that runs or reads"),
    ("requests.", r"requests\.(?:get|post)\s{0,2}\(\s{0,2}f?['\"]", "medium", "Python call that runs or reads"),
    ("timeit.", r"timeit\.timeit\s{0,2}\(", "medium", "Python call that runs or reads"),
    ("platform.", r"platform\.popen\s{0,2}\(", "high", "Python call that runs or reads"),
    ("yaml.", r"yaml\.(?:unsafe_)?load\s{0,2}\(", "medium", "Python that unpickles"),
    (".mro", r"\.mro\s{0,2}\(\)", "medium", "Python that looks behind an object"),
    ("(lambda", r"\(lambda\b[^()]{0,40}:[^\n]{1,80}\)\s{0,2}\(", "medium", "Python that runs"),
    ("<esi:", r"<esi:(?:include|inline|debug|vars|assign|eval)", "high", "edge side include"),
    ("pickle.", r"pickle\.loads?\b", "medium", "Python that unpickles"),
    ("require[", r"require\[", "medium", "JavaScript that runs"),
    (
        "require",
        r"require\s{0,3}\(\s{0,3}['\"`]?(?:node:)?(?:child_process|fs|os|net|http|vm|util|process|module|cluster|worker_threads)\b|require\.main\b",
        "high",
        "JavaScript that runs",
    ),
    ("process", r"process\s{0,3}(?:\.\s{0,3}(?:env|exit|mainmodule|binding|kill|argv|cwd|platform|dlopen)\b|\[\s{0,3}['\"])", "high", "JavaScript that runs"),
    ("child_process", r"child_process\b", "high", "JavaScript that runs"),
    ("mainmodule", r"mainmodule\b", "high", "JavaScript that runs"),
    ("constructor", r"constructor(?:\s{0,3}(?:\.\s{0,3}|\[['\"]?)constructor|['\"]\]|\s{0,3}\(\s{0,3}['\"`])", "high", "JavaScript that runs"),
    ("function", r"(?<![\w.])function\s{0,6}\(\s{0,3}['\"`]", "high", "JavaScript that runs"),
    ("new", r"new\s{1,6}function\s{0,6}\(", "high", "JavaScript that runs"),
    ("string", r"string\s{0,3}\.\s{0,3}fromcharcode\b", "medium", "JavaScript that runs"),
    ("console", r"console\s{0,3}\.\s{0,3}(?:log|info|error|warn|debug|dir|table|trace)(?:\.(?:call|apply|bind))?\s{0,3}\(", "medium", "JavaScript that runs"),
    ("while", r"while\s{0,3}\(\s{0,3}(?:!|-|\+|~|true\b|1\b|new\s|['\"`\[{(]|infinity|date)[^)\n]{0,40}\)", "medium", "endless loop"),
    ("for", r"for\s{0,3}\(\s{0,3};\s{0,3};\s{0,3}\)", "medium", "endless loop"),
    ("import", r"import\s{0,3}\(\s{0,3}['\"]", "high", "JavaScript that runs"),
    (
        "java.",
        r"java\.(?:lang\.(?:runtime|processbuilder|system|class|thread|reflect)|io\.(?:file|inputstream|bufferedreader|objectinput)|net\.(?:url|"
        r"socket)|util\.scanner|runtime|processbuilder|beans\.)",
        "high",
        "Java class that runs",
    ),
    ("javax.", r"javax\.(?:script|naming)\.\w", "high", "Java class that runs"),
    ("processbuilder", r"processbuilder\b", "high", "Java class that runs"),
    ("com.", r"com\.(?:opensymphony\.xwork|sun\.org\.apache|sun\.rowset)", "high", "Java class that runs"),
    ("xwork", r"xwork\.methodaccessor", "high", "Java class that runs"),
    ("getclass", r"getclass\s{0,2}\(\s{0,2}\)\s{0,2}\.", "high", "Java class that runs"),
    ("classloader", r"classloader\b", "medium", "Java class that runs"),
    ("scriptengine", r"scriptenginemanager\b", "high", "Java class that runs"),
    ("ognl", r"ognl\.\w", "high", "expression of OGNL"),
    ("#", r"#(?:_memberaccess|(?:context|application|parameters|request|session|attr)\s{0,2}[.=\[])", "high", "expression of OGNL"),
    ("@java", r"@java\.[\w.]{1,80}@", "high", "expression of OGNL"),
    ("@{", r"@\{\s{0,4}\[", "high", "Perl in a string"),
    ("core::", r"core::\w", "high", "Perl in a string"),
    ("kernel", r"kernel\s{0,2}(?:\.|::)\s{0,2}(?:system|exec|exit|eval|open|spawn|`|fork|sleep|abort|load|require|send)", "high", "Ruby that runs"),
    ("process.", r"process\.(?:spawn|exec|kill|fork|daemon|wait)\b", "high", "Ruby that runs"),
    ("io.", r"\bio\.(?:popen|read|sysopen|binread)\b", "high", "Ruby that runs"),
    ("file.", r"\bfile\.(?:read|open|write|delete)!?\s{0,2}[(\"']", "medium", "Ruby that runs"),
    ("dir.", r"\bdir\.(?:glob|entries)\b", "medium", "Ruby that runs"),
    ("open3.", r"open3\.\w", "medium", "Ruby that runs"),
    ("%x", r"%x[\[({|!]\s{0,3}[a-z/]", "medium", "Ruby that runs"),
    ("nd_func", r"nd_func\$\$_", "high", "JavaScript that runs"),
)
"""Calls, classes and tags that run something, whole with their surroundings; the texts they are looked for in are in lower case."""
