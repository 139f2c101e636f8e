from bench.page import read_notes, scripting_of_frames


def test_the_wait_is_for_the_last_response_before_the_next_stroke():
    notes = [
        ("pointerdown", 0, ""), ("asked", 10, 14), ("headline", 15, "One"), ("asked", 40, 58), ("pointerup", 50, ""),
        ("headline", 200, "Two"), ("pointerdown", 300, ""), ("asked", 310, 312), ("pointerup", 320, ""),
    ]  # fmt: skip
    assert read_notes(notes) == (1, [1, 0], [8.0, 0.0])


def test_scripts_are_counted_once_and_only_while_the_pen_is_down():
    def event(name, ts, dur=0, **data):
        return {"name": name, "ts": 1000 * ts, "dur": 1000 * dur, "pid": 1, "tid": 1, "args": {"data": data}}

    frames = [event("BeginCommitCompositorFrame", ts) for ts in (0, 10, 20, 30, 40)]
    pens = [event("EventDispatch", 9, type="pointerdown"), event("EventDispatch", 31, type="pointerup")]
    scripts = [event("FunctionCall", 12, 4), event("TimerFire", 11, 6), event("FunctionCall", 35, 2)]
    assert list(scripting_of_frames(frames + pens + scripts)) == [6, 0]
