"""`convcli pipelines list`: all pipelines that have a name."""

from convcli.cli.commands.kernels.shared import JsonOption, print_json, print_notes
from convcli.cli.options.parsing import command


@command
def list_pipelines(*, as_json: JsonOption = False) -> None:
    """List all pipelines that have a name, the shipped and your own.

    Your own are YAML files in the folders of $CONVCLI_PIPELINES and in ~/.config/convcli/pipelines;
    they carry a star.

    [bold]Example[/]

      convcli pipelines list
    """
    from convcli.cli.views.pipelines import print_pipelines
    from convcli.errors import UsageError
    from convcli.pipeline.catalogue import hidden_pipelines, pipeline_names, pipelines_folder, user_pipelines
    from convcli.pipeline.document.loading import load_head

    entries = []
    shipped = pipeline_names()
    files = {name: (pipelines_folder() / f"{name}.yaml", False) for name in shipped}
    for name, path in user_pipelines().items():
        if name in shipped:
            print_notes(hidden_pipelines(name))
        else:
            files[name] = path, True
    for name, (path, own) in files.items():
        try:
            head = load_head(path)
        except UsageError as error:  # one bad file of the user's own hides none of the others
            print_notes([f"left out: {error}"])
            continue
        entries.append({"name": name, "summary": head.summary, "constants": head.constants, "own": own})
    if as_json:
        print_json(entries)
    else:
        print_pipelines(entries)
