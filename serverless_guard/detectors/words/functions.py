"""Names of functions that run, read or reveal something, by what a call of one is worth."""

from __future__ import annotations

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

MODULES = (
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
"""Modules of Python whose import in a value is no accident."""
