"""An old report and a new one: which of Lamina's figures changed, measured against the control beside each.

A machine that was slower as a whole slows the control too, so a figure is its ratio to the control of the same run,
where the figure has one. A change counts when it is larger than both spreads and than a tenth.
"""

import dataclasses
import statistics

LEAST = 0.1


@dataclasses.dataclass(frozen=True)
class Change:
    name: str
    contender: str
    old: float
    new: float
    # The control's name, or nothing where the figures themselves are compared.
    control: str
    spread: float
    more_is_better: bool

    @property
    def share(self):
        """How much worse: 0.5 takes half as long again."""
        share = self.new / self.old - 1
        return -share if self.more_is_better else share

    @property
    def counts(self):
        return abs(self.share) > max(LEAST, self.spread)


def relative(figure, contender, control):
    values = figure.values[contender]
    if not control:
        return values
    others = figure.values[control]
    if len(others) == len(values):
        return [value / other for value, other in zip(values, others) if other]
    middle = statistics.median(others)
    return [value / middle for value in values if middle]


def half_spread(values):
    middle = statistics.median(values)
    if len(values) < 3 or not middle:
        return (max(values) - min(values)) / middle if middle else 0
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return (high - low) / middle


def changes(old, new):
    """What both have, the worst change first. `old` and `new` are name to figure."""
    found = []
    for name in old.keys() & new.keys():
        control = old[name].control if old[name].control == new[name].control else None
        for contender in old[name].values.keys() & new[name].values.keys():
            if not contender.startswith(("lamina", "engine")):
                continue
            before, after = (relative(one[name], contender, control) for one in (old, new))
            if not before or not after or not statistics.median(before):
                continue
            found.append(Change(
                name, contender, statistics.median(before), statistics.median(after), control or "",
                half_spread(before) + half_spread(after), new[name].more_is_better))
    return sorted(found, key=lambda change: -change.share)


def lines(found):
    """A table of the changes that count, and how many did not."""
    counted = [change for change in found if change.counts]
    words = []
    if counted:
        words += ["| figure | who | old | new | worse by | spread |", "| --- | --- | ---: | ---: | ---: | ---: |"]
    for change in counted:
        beside = f" × {change.control}" if change.control else ""
        words.append(f"| {change.name} | {change.contender} | {change.old:.3g}{beside} | {change.new:.3g}{beside} "
                     f"| {change.share:+.0%} | {change.spread:.0%} |")
    worse = sum(change.share > 0 for change in counted)
    words += ["" if counted else "No change that counts.",
              f"{len(found)} figures compared: {worse} worse, {len(counted) - worse} better, "
              f"{len(found) - len(counted)} within their spread or a tenth."]
    return words, worse
