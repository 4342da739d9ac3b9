"""Measures the whole contrast: every mode in every repeat, vanishing clients beside them, the sweeps, the advice.

Rules:
- What is measured, and in which order, is planned (plan.py): the modes take turns in every repeat, so that what else
  the machine does falls on all of them.
- Vanishing clients have a server of their own, so that the measured one serves the workload alone.
- `begin` is told of each step before it is taken, with the seconds that it will take, more or less.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from statistics import median_low

from heartline.network import GrpcConnection

from heartline_lab.contrast.advice import advise
from heartline_lab.contrast.batch import event_cost
from heartline_lab.contrast.breakeven import break_evens
from heartline_lab.contrast.costs import costs_of
from heartline_lab.contrast.figures import Run, point, summary
from heartline_lab.contrast.machine import machine
from heartline_lab.contrast.notes import notes
from heartline_lab.contrast.plan import SWEEPS, Task, measurable, tasks
from heartline_lab.contrast.results import MODES, Contrast, Sweep, Workload
from heartline_lab.contrast.run import Stage, publish_alone, run
from heartline_lab.contrast.vanished import vanishing
from heartline_lab.processes import serving

START = 1.5
"""Seconds that starting takes, more or less."""

WARM_UP = Workload(clients=1, rate=100, seconds=0.2, payload=100, poll_interval_seconds=1, repeats=1)

Begin = Callable[[str, float], None]


def expected_seconds(asked: Workload, sweep: bool) -> float:
    """How long `contrast` takes, more or less."""
    workload, _ = measurable(asked)
    return START + sum(task.seconds for task in tasks(workload, sweep))


async def contrast(asked: Workload, fresh_within: float, sweep: bool, begin: Begin) -> Contrast:
    """Measures what of `asked` can be measured here, and advises on all of it. Raises CommandError."""
    workload, cut = measurable(asked)
    done: list[tuple[Task, Run]] = []
    publishing: defaultdict[float, list[float]] = defaultdict(list)
    begin("starting", START)
    async with serving() as server, GrpcConnection(server.address) as publisher, vanishing(workload) as vanished:
        stage = Stage(server, publisher)
        await publish_alone(stage, WARM_UP, 0)  # the first calls of a server cost more than any later one
        event = await event_cost(stage, workload.payload)
        for task in tasks(workload, sweep):
            begin(task.title, task.seconds)
            if task.mode:
                done.append((task, await run(stage, task.workload, task.mode, task.repeat)))
            else:
                publishing[task.workload.rate].append(await publish_alone(stage, task.workload, task.repeat))
        gone = await vanished()
    publish_costs = {rate: median_low(found) for rate, found in publishing.items()}
    publish_cpu = publish_costs[workload.rate]
    own = {mode: [seen for task, seen in done if task.part == "modes" and task.mode == mode] for mode in MODES}
    modes = tuple(summary(mode, own[mode], publish_cpu, gone[mode]) for mode in MODES)
    costs = {mode: costs_of(mode, own[mode], publish_cpu, event.cpu_us, event.bytes) for mode in MODES}
    sweeps = tuple(_sweep(setting, done, publish_costs) for setting in SWEEPS) if sweep else ()
    return Contrast(
        workload=workload,
        modes=modes,
        publish_cpu_us_per_event=publish_cpu,
        advice=advise(costs, publish_cpu, asked.clients, asked.rate, fresh_within),
        machine=machine(),
        sweeps=sweeps,
        break_even=tuple(each for found in sweeps if found.setting == "rate" for each in break_evens(found)),
        costs=tuple(costs.values()),
        notes=(*cut, *notes(workload, modes, sweeps, publish_cpu)),
    )


def _sweep(setting: str, done: list[tuple[Task, Run]], publish_costs: Mapping[float, float]) -> Sweep:
    points = []
    for task, seen in done:
        if task.part == setting:
            work = task.workload
            points.append(point(task.mode, getattr(work, setting), work.clients, seen, publish_costs[work.rate]))
    return Sweep(setting, tuple(points))
