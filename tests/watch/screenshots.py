#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Takes the pictures of docs/images/status-*.png from a gateway with traffic.

python3 -B tests/watch/screenshots.py [SECONDS]; more seconds fill more of the charts.
"""
import base64
import itertools
import random
import sys
import threading
import time

from browser import chromium, look_like
from harness import ROOT, Backend, Gateway, shop, wait_for

PATHS = (["/mock"] * 30 + ["/cached/list"] * 25 + ["/cached/other"] * 5 + ["/back/slow/4"] * 18 +
         ["/back/slow/20"] * 12 + ["/back/slow/60"] * 4 + ["/back/status/503"] + ["/nothing"] * 2)


def traffic(gateway, done, seed):
    chance = random.Random(seed)
    for i in itertools.count():
        if done.is_set():
            return
        gateway.get(chance.choice(PATHS), Host="shop.example")
        if i % 9 == 0:
            gateway.get("/", Host="news.example")
        if i % 300 == 0:
            gateway.get("/keyed", Host="shop.example", x_api_key="alice-key-0123456789abcdef")
        if i % 2500 == 0:
            gateway.get("/keyed", Host="shop.example", x_api_key="bob-key-0123456789abcdefgh")
        if i % 700 == 699:
            for _ in range(70):
                gateway.get("/mock", Host="shop.example")
        time.sleep(chance.random() * 0.02)


def save(driver, name):
    size = driver.execute_cdp_cmd("Page.getLayoutMetrics", {})["cssContentSize"]
    shot = driver.execute_cdp_cmd("Page.captureScreenshot", {
        "format": "png", "captureBeyondViewport": True,
        "clip": {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}})
    path = ROOT / "docs/images" / name
    path.write_bytes(base64.b64decode(shot["data"]))
    print(path.relative_to(ROOT), f"{path.stat().st_size // 1024} KiB")


def main(seconds):
    with Backend() as backend, Gateway(shop(backend)) as gateway:
        done = threading.Event()
        clients = [threading.Thread(target=traffic, args=(gateway, done, n)) for n in range(3)]
        for client in clients:
            client.start()
        try:
            gateway.admin("/reload", "POST")
            good = (gateway.path / "gateway.yaml").read_text(encoding="utf-8")
            (gateway.path / "gateway.yaml").write_text(good.replace("burstLimit", "burstLimt"))
            gateway.admin("/reload", "POST")
            (gateway.path / "gateway.yaml").write_text(good)
            gateway.admin("/reload", "POST")
            with chromium() as driver:
                driver.get(f"http://127.0.0.1:{gateway.admin_port}/")
                time.sleep(seconds)
                wait_for("live page", lambda: driver.find_element("id", "state").text == "Live")
                save(driver, "status-light.png")
                look_like(driver, 1280, 900, dark=True)
                save(driver, "status-dark.png")
                look_like(driver, 390, 844)
                time.sleep(3)  # the charts are drawn again for the new width
                save(driver, "status-phone.png")
        finally:
            done.set()
            for client in clients:
                client.join()


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 150)
