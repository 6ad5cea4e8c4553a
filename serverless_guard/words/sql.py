"""The words of SQL, PartiQL and the common dialects, and how a text is cut into them."""

from __future__ import annotations

from serverless_guard.words.patterns import pattern


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


LOGIC = frozenset(("or", "and", "xor", "||", "&&", "nand"))
COMPARE = _set(
    "= == <> != < > <= >= <=> like rlike regexp in between is ilike glob similar sounds match !< !> @> <@ #> #>> ?| ?& @? @@ ~* !~ isnull notnull contains "
    "member"
)
ARITHMETIC = _set("+ - * / % ^ & | ~ div mod << >> -> ->> := collate escape")
CLAUSE = _set(
    "union except intersect minus having where order group limit offset into procedure for returning fetch window top on using when then else end set values "
    "as from join inner outer left right natural cross qualify"
)
STATEMENT = _set(
    "select insert update delete drop create alter truncate exec execute declare waitfor shutdown begin if call copy set grant revoke merge use replace "
    "load handler rename backup restore bulk kill reconfigure dbcc print show describe desc explain goto pragma attach detach vacuum analyze commit "
    "rollback do upsert remove"
)
WORDS = (
    LOGIC
    | COMPARE
    | CLAUSE
    | STATEMENT
    | frozenset(
        (
            "not",
            "null",
            "true",
            "false",
            "case",
            "exists",
            "all",
            "any",
            "some",
            "distinct",
            "by",
            "asc",
            "desc",
            "table",
            "database",
            "unknown",
            "interval",
            "row",
            "array",
            "binary",
            "default",
        )
    )
)
CONSTANT = frozenset(
    (
        "null",
        "true",
        "false",
        "unknown",
        "user",
        "current_user",
        "session_user",
        "system_user",
        "current_database",
        "sysdate",
        "rownum",
        "rowid",
        "current_timestamp",
        "default",
    )
)
DELAY = _set(
    "sleep benchmark pg_sleep pg_sleep_for pg_sleep_until waitfor randomblob dbms_lock.sleep dbms_pipe.receive_message dbms_session.sleep user_lock.sleep "
    "generate_series"
)
PROBE = DELAY | _set(
    "extractvalue updatexml load_file xp_cmdshell xp_dirtree xp_regread xp_fileexist sp_executesql sp_oacreate sp_password sp_makewebtask openrowset "
    "opendatasource openquery "
    "utl_http.request utl_inaddr.get_host_name utl_inaddr.get_host_address utl_file dbms_ldap.init dbms_xmlgen.getxml dbms_java.runjava "
    "ctxsys.drithsx.sn httpuritype sys_context xmltype "
    "group_concat concat_ws load_extension writefile readfile pg_read_file pg_ls_dir lo_import lo_export query_to_xml database_to_xml dblink name_const "
    "multipoint geometrycollection polygon linestring "
    "gtid_subset st_latfromgeohash make_set elt exp ascii substring substr mid ord unhex hex char chr char_length version database schema user "
    "current_user system_user session_user db_name user_name is_srvrolemember has_dbaccess object_id "
    "aes_encrypt aes_decrypt compress uncompress string_agg listagg row_count last_insert_id connection_id find_in_set strcmp ifnull nullif coalesce nvl "
    "iif decode cast convert len length md5 sha1 count rand floor concat load row json_keys pow power sign bin oct"
)
"""Functions of databases that injected expressions call; a call alone is weak evidence, in an expression it is strong."""
SYSTEM = _set(
    "information_schema pg_catalog pg_shadow pg_user pg_tables pg_class pg_database pg_stat_activity sqlite_master sqlite_schema sysobjects syscolumns "
    "sysusers sysdatabases msysobjects "
    "all_tables all_tab_columns all_users user_tables user_tab_columns dba_users dba_tables performance_schema xp_cmdshell innodb_table_stats mysql"
)
"""Names of catalogues."""
ENGLISH = _set("the a an your our my his her their its this that these those each every one something anything someone which what whom who")
"""Words that stand where SQL would have a table or a column only in prose."""
UNARY = frozenset(("+", "-", "~", "!", "not", "binary", "distinct", "all", "any", "some", "-+"))
CALLABLE = _set("left right replace char row load insert database binary mod show isnull notnull match")
CONDITIONAL = _set("having where when on if")
TRUTHS = frozenset(("null", "true", "false", "unknown"))
SHARP = PROBE - _set(
    "exp char count len length concat load row decode cast convert substring ascii user version database schema power sign bin hex elt floor rand coalesce "
    "compress md5 mid json_keys find_in_set oct pow decode ord"
)
OBJECT_KINDS = _set(
    "table database schema view index user login procedure function trigger column role tablespace sequence type or temporary assembly operator alias "
    "package session"
)
DEEDS = _set("waitfor select exec execute sleep drop insert update delete shutdown benchmark pg_sleep")
KINDS: dict[str, str] = {}
for _words, _sign in ((WORDS, "k"), (ARITHMETIC, "a"), (COMPARE, "c"), (LOGIC, "l")):
    KINDS |= dict.fromkeys(_words, _sign)


def tokens(sql: str) -> tuple[list[str], list[str]]:
    """Kinds and words of the tokens of `sql`, in lower case.

    n number, s string, u string that never ends, q quoted name, v variable, w word, l logic, c comparison, a arithmetic, k keyword,
    # comment, or the sign itself.
    """
    words = TOKEN.findall(sql)
    kinds = [_kind(word) for word in words]
    for i, word in enumerate(words[:-1]):
        if word in CALLABLE and words[i + 1] == "(" and kinds[i] != "w":
            kinds[i] = "w"
    return kinds, words


def _kind(word: str) -> str:
    known = KINDS.get(word)
    if known:
        return known
    first = word[0]
    if first in "'\"":
        return "s" if len(word) > 1 and word[-1] == first else "u"
    if first.isdigit() or (first == "." and len(word) > 1):
        return "n"
    if first == "`" or (first == "[" and len(word) > 1):
        return "q"
    if first == "@":
        return "v"
    if first == "#" or word[:2] in ("--", "/*"):
        return "#"
    return "w" if first == "_" or first.isalpha() else first


TOKEN = pattern(
    r"''(?![\w'])|'(?:[^'\\]+|\\.|'')*'?|\"(?:[^\"\\]+|\\.|\"\")*\"?|`[^`]*`?|0x[0-9a-f]*|\d+(?:\.\d*)?(?:e[-+]?\d+)?(?![a-z_])|\d+(?=(?:union|or|and|"
    r"having|order|limit)\b)|\.\d+|@>|@@?[\w.$]*|[^\W\d][\w$]*(?:#\w+)*|\d+\w*"
    r"|#>>?|--.*|#.*|/\*.*|<=>|->>|[<>!=]=|@>|<@|\?[|&]|<>|\|\||&&|:=|::|<<|>>|->|!<|!>|\S"
)
