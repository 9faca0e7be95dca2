"""`parknews web`: the archive, the editors' desk, the status and the recipients' pages."""

from __future__ import annotations

import click


@click.command()
@click.option("--host", help="Address to listen on (default: [web] host, loopback).")
@click.option("--port", type=click.IntRange(0, 65535), help="Port (default: [web] port; 0 takes a free one).")
def web_command(host: str | None, port: int | None) -> None:
    """Serve archive, search, editors' desk, status and the recipients' pages until told to stop."""
    import signal
    from contextlib import suppress

    from digest.web.serve import start
    from scheduler.context import open_installation
    from scheduler.logs import set_up_logging
    from store.database import read_scope
    from store.editors import list_editors

    installation = open_installation()
    set_up_logging(verbose=False)
    with read_scope(installation.engine) as session:
        nobody = not list_editors(session) and not installation.config.web.trust_proxy_user
    server = start(installation.engine, installation.config, host=host, port=port)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if nobody and not installation.config.web.public_archive:
        click.echo("nobody can log in yet: `parknews editor add NAME` makes an account", err=True)
    click.echo(f"{server.url} (stop with Ctrl-C)")
    with suppress(KeyboardInterrupt):  # told to stop: that is how it ends
        server.wait()
    server.close()
