"""Files that an attacker reads first, as the ends of normalised paths in lower case."""

from __future__ import annotations

SECRETS = (
    "etc/passwd", "etc/shadow", "etc/master.passwd", "etc/security/", "boot.ini", "/win.ini", "proc/self/", "proc/1/", ".ssh/id_", ".ssh/authorized",
    "id_rsa", ".bash_history", ".mysql_history", ".psql_history", ".python_history", ".aws/credentials", ".htpasswd", "web-inf/", "meta-inf/",
    "run/secrets/", "winnt/",
    "system32/config", "repair/sam", "repair/system", "/sam.bak", "etc/sudoers", "etc/gshadow", "system32/drivers/etc",
)  # fmt: skip
"""Nobody mentions these by chance."""

WANTED = (
    "etc/group", "etc/hosts", "etc/issue", "etc/hostname", "etc/crontab", "etc/fstab", "etc/motd", "etc/resolv.conf", "etc/my.cnf", "windows/system32",
    "web.config", "global.asa", "wp-config", ".htaccess", ".git/config", ".git/head", "access_log", "access.log", "error_log", "error.log", "httpd.conf",
    "nginx.conf", "php.ini", "my.cnf", "my.ini", ".ssh/", ".env", "known_hosts", "/inetpub/", "system.ini", "desktop.ini", ".passwd", "apache/conf",
    "proc/", "settings.py", "config.php", "configuration.php", "database.yml", "secrets.yml", ".npmrc", ".netrc", ".pgpass", ".dockerenv", ".kube/config",
    ".docker/config", "server.xml", "tomcat-users", "application.properties", "application.yml", "appsettings.json", "hosts.allow", "hosts.deny",
)  # fmt: skip
"""Documentation is full of these."""
