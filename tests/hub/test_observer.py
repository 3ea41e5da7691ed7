"""An observer that nobody gave is one that counts nothing."""

from __future__ import annotations

from tribe_ws.hub.observer import HubObserver, NullObserver


def test_the_null_observer_hears_everything_and_says_nothing() -> None:
    observer: HubObserver = NullObserver()
    observer.frame_in("ping")
    observer.frame_out("pong", 1)
    observer.dropped("slow_consumer")
    observer.fan_out(0.1)
    assert vars(observer) == {}
