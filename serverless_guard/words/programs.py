"""Names of programs, told apart by how likely they stand in a sentence, and paths that wildcards are made to spell."""

from __future__ import annotations

PLAIN = """
addgroup adduser ansible ansible-playbook ansible-vault apk apt-get aptitude aria2c arp.exe attrib awk base32 base58 base64 bash bcdboot bcdedit
bitsadmin bunzip2 busybox bzcat bzip2 c89 c99 certutil chef-run chgrp chkconfig chmod chown chroot clang cmd.exe cmdkey cpio crontab cscript csh ctr
diskpart dmesg dnf dnscmd dockerd dpkg ed.exe egrep emacs esentutl ffmpeg fgrep findstr fltmc forfiles ftp.exe g++ gawk gcc gdb get-childitem
get-content get-process get-wmiobject getcap getent getfacl getmac gpresult grep groupadd gunzip gzip hexdump host.exe hostname.exe hping3 htop icacls
iex ifconfig ifdown iftop ifup initctl insmod installutil invoke-command invoke-expression invoke-restmethod invoke-webrequest ionice iostat iotop
ip6tables ipconfig iptables irb irm iwconfig iwr javac jjs journalctl jrunscript killall killall5 ksh kubeadm kubectl lastlog lastlogin ldd lsattr
lsb_release lsblk lscpu lsmod lsof ltrace lua5.1 luajit lwp-download lwp-request mawk md5sum mkdir mkfifo mknod mktemp modprobe mongosh mpstat msbuild
msfconsole mshta msiexec mutt mysqldump nano nawk ncat netcat netsh netstat new-object nft nikto nl nltest nmap nodejs nohup nproc nsenter nslookup
odbcconf openssl pcalua pdksh perl5 pg_dump pgrep phar php5 php7 php8 pidof pkexec pkill podman powershell powershell.exe printenv psexec psql pwsh
python2 python3 quser qwinsta rbash readlink realpath redis-cli regedit regsvr32 rev.exe rmdir rmmod rmt-tar robocopy route.exe rpm rsync runc
rundll32 rustc rvim schtasks sed sendmail setarch setcap setfacl sftp sha1sum sha256sum sha512sum socat sqlite3 sqlmap ssh-agent ssh-keygen
ssh-keyscan sshpass start-process stdbuf strace sudo sysctl systemctl systeminfo tac takeown taskkill tasklist taskset tclsh tcpdump tcsh telnet tftp
traceroute tshark ufw uname unshare unxz update-rc.d useradd userdel usermod uudecode uuencode view.exe vim vimdiff vmstat vssadmin wevtutil wget
whoami whois wkhtmltopdf wmic wscript xargs xcopy xmllint xxd xzcat yum zcat zgrep zless zmore zsh zypper
"""
"""Nobody writes these in a sentence."""

SHORT = """
alias apt ar arp as at.exe aws batch.exe bg bpftrace bridge busctl cat cd chattr cmd cmp column comm cp curl dd df diff dir docker du ed env eval
export fdisk fg file.exe finger fmt fold ftp gem getopts git groups hostname id iex ip java jobs ld ln logname ls ls.exe lua mail mailx make man mkfs
mount.exe mv mysql nc ncftp nice nm node npm od passwd paste perl pg php pico ping6 pip pr printf ps ps.exe pwd python rcp reg rev rlogin rm route rsh
ruby sc scp screen seq sh shred sqlplus ss ssh stat strings stty su tar tee tmux tr trap tree.com tsort tty type.exe ulimit umask umount unalias uniq
unset unzip uptime useradd ver.exe vi visudo w wc xz zip
"""
"""Short names, and names of other things: as items of a list they mean nothing."""

ENGLISH = """
true false at axel batch builtin cal call command copy crash cut dash date del dig dump echo erase exec exit expand expect factor file find fish free
halt head help history host hydra install join kill knife last less link load locate logger look mongo more mount move net open pacman ping print
puppet read reboot ren run salt script service set shutdown sleep sort source split start tail test time timeout top touch tree truncate type unlink
users ver vol wall watch whereis which who write yes
"""
"""Words of plain English: only arguments as programs take them make commands of these."""

SUBCOMMANDS = {
    "net": "view user localgroup use share start stop group session accounts config statistics",
    "reg": "add query delete save export import copy",
    "sc": "query create config start stop delete qc",
    "service": "--status-all",
    "route": "print add delete",
    "pip": "install",
    "npm": "install i run",
    "apt-get": "install",
    "ip": "a addr address route link neigh r",
    "git": "clone init",
    "docker": "run exec ps",
    "ps": "aux ax axu auxf auxww ef",
    "tar": "cf cvf czf czvf xf xvf xzf xzvf tf",
    "aws": "s3 s3api sts iam ec2 lambda dynamodb secretsmanager ssm configure",
    "ss": "state",
}
"""First arguments that make a command of an ambiguous name."""

TARGETS = """
/bin/bash /bin/cat /bin/id /bin/ls /bin/more /bin/nc /bin/netcat /bin/ping /bin/ps /bin/rm /bin/sh /bin/sleep /bin/tac /bin/uname /etc/group
/etc/hosts /etc/issue /etc/passwd /etc/shadow /proc/self/environ /usr/bin/base64 /usr/bin/cat /usr/bin/curl /usr/bin/env /usr/bin/head /usr/bin/id
/usr/bin/less /usr/bin/ls /usr/bin/nc /usr/bin/nl /usr/bin/perl /usr/bin/php /usr/bin/python /usr/bin/python3 /usr/bin/sort /usr/bin/tail
/usr/bin/wget /usr/bin/whoami /usr/bin/xxd etc/passwd etc/shadow
"""
"""What a path with wildcards is checked against."""

BARE = frozenset(
    (
        "whoami", "id", "ls", "ps", "env", "pwd", "ifconfig", "ipconfig", "netstat", "uname", "hostname", "systeminfo", "tasklist", "printenv", "lsof",
        "lscpu", "lsblk",
        "dmesg", "getmac", "arp", "quser", "qwinsta", "htop", "reboot", "shutdown", "halt", "dir", "ver", "vol", "set", "who", "w", "last", "lastlog",
        "history", "mount", "df",
        "free", "top", "vmstat", "users", "groups", "date", "uptime", "exit", "true", "sleep", "ss", "route", "export", "crontab", "net", "iptables",
        "logname", "tty", "sh", "cmd",
    )
)  # fmt: skip
"""What does something without any argument."""

DEVELOPERS = frozenset(
    (
        "git", "docker", "npm", "pip", "node", "python", "python2", "python3", "ruby", "java", "make", "export", "kubectl", "perl", "php", "gem",
        "aws", "apt-get", "apt", "yum", "dnf", "apk", "brew", "javac", "gcc", "g++", "clang", "ansible", "puppet", "cd", "mkdir", "unset", "alias",
        "sudo", "ssh", "helm", "psql", "mysql", "jupyter", "vim", "vi", "emacs", "ffmpeg", "openssl", "systemctl", "unzip", "tar", "zip",
    )
)  # fmt: skip
"""What people quote whole commands of."""
