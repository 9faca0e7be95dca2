"""What to do about each fault the doctor knows, in English and Chinese."""

from __future__ import annotations

#: code of a fault -> (English, Chinese)
REMEDIES: dict[str, tuple[str, str]] = {
    "python": (
        "install Python 3.11 or newer and parknews into it",
        "请安装 Python 3.11 或更新版本，并在其中重新安装 parknews",
    ),
    "package_overwritten": (
        "`pip uninstall` the other distribution, then install parknews again with `--force-reinstall --no-deps`; best in an environment of its own",
        "请用 pip uninstall 卸载另一软件包，再加 --force-reinstall --no-deps 重新安装 parknews；最好使用独立的虚拟环境",
    ),
    "package_shadowed": (
        "unset PYTHONPATH, and start `parknews` itself instead of `python -m` in a folder that holds a package of this name",
        "请取消 PYTHONPATH，并直接运行 parknews，不要在含同名目录的位置用 python -m 启动",
    ),
    "dependency": (
        "run `pip install parknews` again in this environment",
        "请在本环境中重新运行 pip install parknews",
    ),
    "configuration": (
        "correct the line that is named and run `parknews doctor` again",
        "请改正所指的那一行，再运行 parknews doctor",
    ),
    "configuration_missing": (
        "correct PARKNEWS_CONFIG or --config, or write a configuration with `parknews init`",
        "请改正 PARKNEWS_CONFIG 或 --config 所指路径，或用 parknews init 生成配置文件",
    ),
    "file_unreadable": (
        "let the service's user read that file: chown or chmod it, and look at the folders above it",
        "请让服务用户能读取该文件：用 chown 或 chmod 修改，并检查其上级目录的权限",
    ),
    "two_configurations": (
        "keep one file: remove ./parknews.toml here or unset PARKNEWS_CONFIG",
        "请只保留一个配置：删除当前目录的 parknews.toml，或取消 PARKNEWS_CONFIG",
    ),
    "database_unavailable": (
        "check that the server runs, and address, user and password in [database] url or PARKNEWS_DATABASE_URL",
        "请确认数据库已启动，并检查 [database] url 或 PARKNEWS_DATABASE_URL 中的地址、用户和口令",
    ),
    "database_driver": (
        "install the driver: pip install 'parknews[postgresql]'",
        "请安装驱动：pip install 'parknews[postgresql]'",
    ),
    "database_folder": (
        "give the service's user the right to write there, or name another place in [database] url",
        "请授予服务用户对该目录的写权限，或在 [database] url 中改用其他位置",
    ),
    "database_corrupt": (
        "stop the daemon, keep the file aside and restore the last backup",
        "请停止守护进程，另存损坏的文件，并恢复最近的备份",
    ),
    "database_newer": (
        "install the newer parknews that made it, or restore a backup from before",
        "请安装创建该数据库的新版 parknews，或恢复升级前的备份",
    ),
    "database_differs": (
        "somebody changed tables by hand: undo that, or restore a backup",
        "有人手工改动过表结构：请撤销改动或恢复备份",
    ),
    "database_standby": (
        "name the primary server in [database] url: this one is a standby or set to read-only",
        "请在 [database] url 中改用主库：当前服务器是备库或被设为只读",
    ),
    "database_missing": (
        "make it on the server (`createdb NAME`, `createuser NAME`), or correct [database] url or PARKNEWS_DATABASE_URL",
        "请在服务器上创建（createdb 库名、createuser 用户名），或改正 [database] url 或 PARKNEWS_DATABASE_URL",
    ),
    "database_rights": (
        "let the user in [database] url own the database, or grant it the rights on its tables",
        "请让 [database] url 中的用户成为数据库所有者，或授予其表权限",
    ),
    "database_locked": (
        "another program holds the file; find it with `fuser` and end it",
        "其他程序占用了数据库文件：请用 fuser 找出并结束它",
    ),
    "database_disk": (
        "the disk fails, is full or went away: look at `dmesg` and `df`; nothing was half-written",
        "磁盘故障、已满或已脱机：请查看 dmesg 和 df；数据没有写到一半",
    ),
    "database_full": (
        "free space on that disk; nothing is lost meanwhile",
        "请清理磁盘空间；期间数据不会丢失",
    ),
    "workers": (
        "pip install 'parknews[workers]' and set [database] url to PostgreSQL, or set [daemon] workers = false",
        "请执行 pip install 'parknews[workers]' 并将 [database] url 设为 PostgreSQL，或设 [daemon] workers = false",
    ),
    "sources_missing": (
        "write the file with `parknews init` or correct [crawl] sources",
        "请用 parknews init 生成来源清单，或改正 [crawl] sources",
    ),
    "sources_faulty": (
        "correct the line that is named; until then nothing new is crawled",
        "请改正所指的那一行；改正之前不会开始新的采集",
    ),
    "sources_none": (
        "add sources with `parknews source add URL`, or set `enabled = true`",
        "请用 parknews source add 网址 添加来源，或设 enabled = true",
    ),
    "source_folder": (
        "make the folder, correct the source's `path`, or let the service's user read it",
        "请建立该目录、改正该来源的 path，或允许服务用户读取",
    ),
    "source_hosts": (
        "check the machine's network and its name server (/etc/resolv.conf)",
        "请检查本机网络和域名服务器（/etc/resolv.conf）",
    ),
    "proxy": (
        "let the machine reach sites and mail server directly; parknews uses no proxy",
        "请让本机直接访问各来源和邮件服务器；parknews 不使用代理",
    ),
    "source_faults": (
        "`parknews source show NAME` tells more; `parknews source try NAME` tries it now",
        "请用 parknews source show 名称 查看详情，parknews source try 名称 立即试采",
    ),
    "vocabulary": (
        "correct the file in [classify] vocabulary, or empty that option",
        "请改正 [classify] vocabulary 所指文件，或清空该项",
    ),
    "templates": (
        "`parknews template check` shows each line; an empty [digest] templates uses the product's own",
        "请用 parknews template check 逐行检查；[digest] templates 留空则使用自带模板",
    ),
    "disk_low": (
        "free space, or lower [crawl] keep_pages_mb and keep_pages_days",
        "请清理磁盘空间，或调低 [crawl] keep_pages_mb、keep_pages_days",
    ),
    "folder_readonly": (
        "give the service's user the right to write there, or name another [digest] folder",
        "请授予服务用户写权限，或在 [digest] folder 中改用其他目录",
    ),
    "mail_host": (
        "set [mail] host and port to the office's mail server",
        "请在 [mail] 中填写本单位邮件服务器 host 和 port",
    ),
    "mail_sender": (
        "set [mail] sender to the address the digest comes from",
        "请在 [mail] sender 中填写发件地址",
    ),
    "mail_unreachable": (
        "check [mail] host and port (587 with starttls, 465 with tls) and the firewall",
        "请检查 [mail] host 和 port（starttls 用 587，tls 用 465）以及防火墙",
    ),
    "mail_security": (
        "set [mail] security to what the server offers: starttls or tls; never none beyond this machine",
        "请将 [mail] security 改为服务器支持的 starttls 或 tls；除本机外不可用 none",
    ),
    "mail_certificate": (
        "use the host name that is in the server's certificate, renew the certificate, or install its authority on this machine; if it is 'expired' or 'not yet valid', look at this machine's clock first",
        "请使用证书中的主机名，或更新服务器证书，或在本机安装其根证书；若提示已过期或尚未生效，请先核对本机时钟",
    ),
    "mail_protocol": (
        "let [mail] port and security fit each other: 465 with tls, 587 with starttls; if they do, the server is out of order: try later",
        "请核对 [mail] port 与 security 是否匹配（465 配 tls，587 配 starttls）；若已匹配，则是服务器故障，请稍后再试",
    ),
    "mail_login": (
        "check [mail] user and PARKNEWS_MAIL_PASSWORD (often an authorisation code of its own)",
        "请检查 [mail] user 和 PARKNEWS_MAIL_PASSWORD（不少邮箱须用专门的授权码）",
    ),
    "mail_refused": (
        "read the server's words above; its administrator knows more",
        "请阅读服务器的答复，必要时咨询邮件管理员",
    ),
    "mail_password": (
        "set PARKNEWS_MAIL_PASSWORD or PARKNEWS_MAIL_PASSWORD_FILE",
        "请设置 PARKNEWS_MAIL_PASSWORD 或 PARKNEWS_MAIL_PASSWORD_FILE",
    ),
    "secret_unreadable": (
        "correct the path, or let the service's user read the file",
        "请改正路径，或允许服务用户读取该文件",
    ),
    "secret_open": (
        "chmod 600 the file: everybody on this machine can read it",
        "请执行 chmod 600：本机任何人都能读取该文件",
    ),
    "web_secret": (
        "set PARKNEWS_WEB_SECRET, e.g. from `openssl rand -hex 32`: links in mails are signed with it",
        "请设置 PARKNEWS_WEB_SECRET（可用 openssl rand -hex 32 生成），邮件中的链接以它签名",
    ),
    "public_url": (
        "write [digest] public_url as https://name/path, as readers reach it",
        "请将 [digest] public_url 写成读者可访问的 https://域名/路径",
    ),
    "recipients": (
        "add some with `parknews recipient add`, or [[recipient]] in the configuration",
        "请用 parknews recipient add 或配置中的 [[recipient]] 添加收件人",
    ),
    "operators": (
        "name addresses or chat robots in `operators`, or nobody hears of broken sources",
        "请在 operators 中填写运维邮箱或群机器人，否则来源出错无人知晓",
    ),
    "channel": (
        "set PARKNEWS_NAME_URL (or ..._URL_FILE) to the https address of the group's robot or webhook, or take the channel from those recipients",
        "请将 PARKNEWS_名称_URL（或 ..._URL_FILE）设为群机器人或 webhook 的 https 地址，或取消这些收件人的该渠道",
    ),
    "alarm_channel": (
        "set PARKNEWS_ALERTS_NAME_URL (or ..._URL_FILE) to the https address of the operators' robot or webhook",
        "请将 PARKNEWS_ALERTS_名称_URL（或 ..._URL_FILE）设为运维群机器人或 webhook 的 https 地址",
    ),
    "contact": (
        "set [crawl] contact, so that sites can ask instead of blocking",
        "请填写 [crawl] contact，便于网站联系而不是直接屏蔽",
    ),
    "clock": (
        "set the clock and switch on time synchronisation (timedatectl set-ntp true)",
        "请校准时钟并开启自动对时（timedatectl set-ntp true）",
    ),
    "dkim": (
        "correct [mail] dkim_key and dkim_selector, or empty dkim_key to send unsigned; see docs/howto/set-up-mail.md",
        "请改正 [mail] dkim_key 与 dkim_selector，或清空 dkim_key 不签名发送；参见 docs/howto/set-up-mail.md",
    ),
    "bounces": (
        "correct host, protocol, port and user under [bounces] and PARKNEWS_BOUNCES_PASSWORD, or empty its host",
        "请改正 [bounces] 的 host、protocol、port、user 和 PARKNEWS_BOUNCES_PASSWORD（授权码），或清空 host",
    ),
    "port": (
        "stop the other program (`ss -ltnp` names it), or choose another [web] host or port",
        "请停止占用端口的程序（可用 ss -ltnp 查看），或改用其他 [web] host 或 port",
    ),
    "ocr": (
        "install the extra: pip install 'parknews[ocr]', or set ocr = false",
        "请安装：pip install 'parknews[ocr]'，或设 ocr = false",
    ),
    "fonts": (
        "install a Chinese font, e.g. fonts-noto-cjk, where Word files are turned into PDF",
        "如需在本机转换 PDF，请安装中文字体（如 fonts-noto-cjk）",
    ),
    "libreoffice": (
        "install libreoffice-writer if PDF files are wanted",
        "如需 PDF，请安装 libreoffice-writer",
    ),
    "daemon": (
        "start it: `systemctl start parknews` or `parknews daemon`",
        "请启动：systemctl start parknews 或 parknews daemon",
    ),
    "crashed": ("report this with the line above", "请将上面这一行反馈给开发者"),
}


def remedy(code: str) -> tuple[str, str]:
    """Return what to do about the fault in English and Chinese."""
    return REMEDIES[code]
