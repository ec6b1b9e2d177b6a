"""Tasks over threads: numbered tasks, each done once, by whichever thread comes first."""

import threading
from collections.abc import Callable
from itertools import count


def run_tasks(tasks: int, worker: Callable[[], Callable[[int], None]], threads: int) -> None:
    """Run tasks 0 to `tasks` - 1; `worker` is called once in each thread and gives the function that does a task.

    The calling thread works too, so that one thread costs nothing and an interrupt reaches it. The first exception
    stops all threads after their task in hand, and is raised here.

    >>> done = []
    >>> run_tasks(3, lambda: done.append, threads=2)
    >>> sorted(done)
    [0, 1, 2]
    """
    numbers = count()
    failures: list[BaseException] = []

    def work() -> None:
        try:
            do = worker()
            while not failures and (number := next(numbers)) < tasks:
                do(number)
        except BaseException as failure:  # handed to the caller, whatever it is
            failures.append(failure)

    helpers = [threading.Thread(target=work, daemon=True) for _ in range(min(threads, tasks) - 1)]
    for helper in helpers:
        helper.start()
    work()
    for helper in helpers:
        helper.join()
    if failures:
        raise failures[0]
