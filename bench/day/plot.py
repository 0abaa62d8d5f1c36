#!/usr/bin/python3
"""Draws the figures of bench/day, dashed beside those of another run: plot.py FIGURES.json PICTURE.png [OTHER.json]"""

import json
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402


def read(path: str) -> dict:
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def main(figures_path: str, picture_path: str, other_path: str | None = None) -> None:
    day = read(figures_path)
    other = read(other_path) if other_path else {"hours": []}
    other_hours = [hour["hour"] + 0.5 for hour in other["hours"]]
    hours = [hour["hour"] + 0.5 for hour in day["hours"]]
    names = [f"{100 * q:g} %" for q in day["quantiles"]]
    fixed = day.get("fixed_interval")
    ours = fixed["ours"] if fixed else day["polls"] / day["new_entries"]
    beside = f", {fixed['polls_per_new_entry']:.2f} at a fixed interval" if fixed else ""
    figure, axes = plt.subplots(4, 1, figsize=(9, 11), sharex=True, layout="constrained")
    figure.suptitle(
        f"{day['simulated_hours']} h of {day['appliances']:,} appliances and about {day['sessions']:,} sessions, "
        f"on simulated time\n{day['requests']:,} requests, {day['polls']:,} polls, {day['new_entries']:,} new entries; "
        f"{day['cpu_s']:,.0f} s of one core\n"
        f"{ours:.2f} polls per new entry{beside}",
        fontsize=11,
    )

    late, news, work, memory = axes
    for index, name in enumerate(names):
        late.plot(hours, [1000 * hour["lateness_s"][index] for hour in day["hours"]], marker=".", label=name)
        news.plot(hours, [hour["news_age_s"][index] for hour in day["hours"]], marker=".", label=name, color=f"C{index}")
        news.plot(other_hours, [hour["news_age_s"][index] for hour in other["hours"]], "--", color=f"C{index}")
    late.set_ylabel("ms")
    late.set_title("How late polls began (upper bound: a tick of 10 ms)", loc="left", fontsize=10)
    news.set_ylabel("s")
    dashed = ", dashed: " + other["name"] if other_path else ""
    news.set_title("Age of new entries when they were read" + dashed, loc="left", fontsize=10)
    for axis in (late, news):
        axis.set_ylim(bottom=0)
        axis.legend(ncols=len(names), fontsize=8, loc="lower right", bbox_to_anchor=(1, 1), frameon=False)

    listings = [hour["requests"] - hour["polls"] for hour in day["hours"]]
    work.plot(hours, [hour["busiest_second"] for hour in day["hours"]], "k.", label="in the busiest second")
    work.plot(hours, [hour["polls"] / 3600 for hour in day["hours"]], marker=".", color="C0", label="polls")
    work.plot(hours, [n / 3600 for n in listings], marker=".", color="C1", label="listings and tokens")
    work.plot(other_hours, [hour["polls"] / 3600 for hour in other["hours"]], "--", color="C0")
    work.plot(other_hours, [(hour["requests"] - hour["polls"]) / 3600 for hour in other["hours"]], "--", color="C1")
    work.set_yscale("log")
    work.set_ylabel("requests/s")
    work.set_title("Requests", loc="left", fontsize=10)
    work.yaxis.set_major_formatter("{x:,.0f}")
    work.legend(ncols=3, fontsize=8, loc="lower right", bbox_to_anchor=(1, 1), frameon=False)

    memory.plot(hours, [hour["heap_mb"] for hour in day["hours"]], marker=".", color="tab:red", label="heap, MB")
    memory.set_ylabel("MB")
    memory.set_ylim(bottom=0)
    memory.set_title("Heap without the simulated appliances, and what is remembered", loc="left", fontsize=10)
    memory.legend(fontsize=8, loc="upper left")
    sessions = memory.twinx()
    sessions.plot(hours, [hour["done"] / 1000 for hour in day["hours"]], "--", color="tab:gray", label="done marks")
    sessions.set_ylabel("thousand done marks")
    sessions.set_ylim(bottom=0)
    sessions.legend(fontsize=8, loc="lower right")
    memory.set_xlabel("hour of the day")
    memory.set_xlim(0, day["simulated_hours"])
    memory.set_xticks(range(0, day["simulated_hours"] + 1, 2 if day["simulated_hours"] > 8 else 1))
    for axis in axes:
        axis.grid(alpha=0.3)
    figure.savefig(picture_path, dpi=110)


if __name__ == "__main__":
    main(*sys.argv[1:])
