"""`convcli config`: the defaults that files set, and where each comes from."""

from convcli.cli.commands.kernels.shared import JsonOption, print_json
from convcli.cli.options.parsing import command


@command
def show_config(*, as_json: JsonOption = False) -> None:
    r"""Show the defaults that files set, and where each comes from.

    filter, run and batch take defaults from convcli.toml, or \[tool.convcli] in
    pyproject.toml, of the nearest folder upwards that has any, and then from
    ~/.config/convcli/config.toml. What is typed goes before all of them. A file
    sets only how pixels are computed, shown and compressed, never what is read,
    written or replaced. CONVCLI_CONFIG=FILE takes that file alone,
    CONVCLI_CONFIG=none none.

    [bold]Examples[/]

      convcli config
      CONVCLI_CONFIG=none convcli filter photo.png -k sobel_x

    [bold]A convcli.toml[/]

      padding = "replicate"
      threads = 4
      \[filter]
      signed = "stretch"
    """
    from convcli.cli.options.defaults import read_settings, shown_settings
    from convcli.system.user_folders import settings_files

    records = shown_settings(read_settings(settings_files()))
    if as_json:
        print_json(records)
        return
    from convcli.cli.views.config import print_settings

    print_settings(records)
