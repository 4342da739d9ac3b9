"""How bytes grew over time: few samples, none of them wrong."""

from heartline_lab.middlebox.counts import SAMPLES, Timeline


def test_it_begins_with_nothing() -> None:
    assert Timeline().samples == [(0.0, 0, 0)]


def test_samples_add_up() -> None:
    line = Timeline()
    line.add(1.0, 10, 0)
    line.add(2.0, 0, 5)
    assert line.samples == [(0.0, 0, 0), (1.0, 10, 0), (2.0, 10, 5)]


def test_what_comes_close_together_is_one_sample() -> None:
    line = Timeline()
    line.add(1.0, 1, 0)
    for step in range(1, 20):
        line.add(1.0 + step / 1000, 1, 0)
    assert line.samples == [(0.0, 0, 0), (1.0, 1, 0), (1.019, 20, 0)]


def test_a_long_one_gets_coarser_and_keeps_its_first_and_last() -> None:
    line, seconds = Timeline(), 10 * SAMPLES
    for second in range(1, seconds + 1):
        line.add(float(second), 1, 2)
    assert len(line.samples) <= SAMPLES + 1
    assert line.samples[0] == (0.0, 0, 0)
    assert line.samples[-1] == (float(seconds), seconds, 2 * seconds)
    assert all((up, down) == (at, 2 * at) for at, up, down in line.samples)
    steps = [after[0] - before[0] for before, after in zip(line.samples, line.samples[1:], strict=False)]
    assert max(steps) <= 64
