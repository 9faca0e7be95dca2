"""`parknews web`: the archive and the recipients' pages."""

from __future__ import annotations

import click


@click.command()
@click.option("--host", help="Address to listen on (default: [web] host, loopback).")
@click.option("--port", type=int, help="Port (default: [web] port).")
def web_command(host: str | None, port: int | None) -> None:
    """Serve the archive, the unsubscribe and the preferences page."""
    from waitress import serve

    from digest.web.app import create_app
    from scheduler.context import open_store

    store = open_store()
    where = host or store.config.web.host, port or store.config.web.port
    click.echo(f"http://{where[0]}:{where[1]}/ (stop with Ctrl-C)")
    serve(create_app(store.engine, store.config), host=where[0], port=where[1])
