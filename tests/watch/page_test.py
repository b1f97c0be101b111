# SPDX-License-Identifier: Apache-2.0
"""The status page in Chromium: what it shows, that it lives, keys only, dark, small, locked, gone.

make test-page, or python3 -B tests/watch/page_test.py
"""
import sys
import unittest

from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from browser import chromium, look_like
from harness import Backend, Gateway, shop, wait_for

TOKEN = "a-token-for-the-admin-listener"


def text(driver, name):
    return driver.find_element(By.ID, name).text


def is_live(driver):
    return text(driver, "state") == "Live"


def open_page(driver, gateway):
    driver.get(f"http://127.0.0.1:{gateway.admin_port}/")
    wait_for("a live page", lambda: is_live(driver))


def rows(driver, name):
    """Cells of every row of the table in that place."""
    return driver.execute_script(
        "return [...document.querySelectorAll('#' + arguments[0] + ' tbody tr')]"
        ".map(row => [...row.children].map(cell => cell.innerText.trim()))", name)


def complaints(driver):
    return [entry["message"] for entry in driver.get_log("browser")
            if entry["level"] in ("SEVERE", "WARNING")]


class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.backend = cls.enterClassContext(Backend())
        cls.driver = cls.enterClassContext(chromium())

    def setUp(self):
        look_like(self.driver, 1280, 900)
        self.driver.get("about:blank")
        complaints(self.driver)  # what was said before

    def gateway(self, more=""):
        gateway = Gateway(shop(self.backend, more), files={"token": TOKEN})
        return self.enterContext(gateway)

    def test_shows_what_was_counted(self):
        gateway = self.gateway()
        for _ in range(4):
            gateway.get("/back/slow/5", Host="shop")
        gateway.get("/back/status/503", Host="shop")
        for _ in range(3):
            gateway.get("/cached/x", Host="shop")
        for _ in range(12):
            gateway.get("/keyed", Host="shop", x_api_key="bob-key-0123456789abcdefgh")
        gateway.get("/", Host="news.example")
        gateway.admin("/reload", "POST")
        open_page(self.driver, gateway)
        stages = {row[0]: row for row in rows(self.driver, "stages")}
        self.assertEqual(stages["Shop / prod"][2], "20")
        self.assertEqual(stages["Shop / prod"][3:5], ["10.0%", "5.0%"])
        self.assertEqual(stages["Shop / prod"][7], "66.7%")
        self.assertEqual(stages["Shop / prod"][8], "2")
        self.assertEqual(stages["News / live"][2], "1")
        plans = {row[0]: row for row in rows(self.driver, "plans")}
        self.assertEqual(plans["Free"][1:5], ["10 this month", "1 key", "10", "0"])
        self.assertIn("100%", plans["Free"][5])
        self.assertEqual(plans["Free"][6], "bob: 10, 0 left")
        self.assertEqual(plans["Gold"][1:5], ["0 today", "0 keys", "100", "100"])
        self.assertEqual(dict(rows(self.driver, "throttles"))["Quota"], "2")
        self.assertEqual([row[1] for row in rows(self.driver, "reloads")], ["accepted"])
        latency = {row[0]: row for row in rows(self.driver, "latency")}
        self.assertGreaterEqual(float(latency["Integration"][5]), 5)
        self.assertLess(float(latency["Overhead"][2]), 5)
        self.assertIn("21 requests in the last hour, 3 of them errors",
                      self.driver.find_element(By.CSS_SELECTOR, "#requests-chart svg")
                      .get_attribute("aria-label"))
        self.assertEqual(complaints(self.driver), [])

    def test_lives(self):
        gateway = self.gateway()
        open_page(self.driver, gateway)
        self.assertIn("no requests lately", text(self.driver, "cards"))
        self.assertEqual(rows(self.driver, "stages")[0][2], "0")
        self.assertIn("None since the start", text(self.driver, "reloads"))
        for _ in range(7):
            gateway.get("/mock", Host="shop")
        wait_for("the new number", lambda: rows(self.driver, "stages")[0][2] == "7")
        wait_for("a line", lambda: self.driver.find_elements(By.CSS_SELECTOR, ".spark path"))
        self.assertEqual(complaints(self.driver), [])

    def test_asks_for_the_token_and_forgets_it(self):
        gateway = self.gateway("\nadmin: { port: 0, tokenFile: token }")
        driver = self.driver
        driver.get(f"http://127.0.0.1:{gateway.admin_port}/")
        wait_for("the form", lambda: driver.find_element(By.ID, "login").is_displayed())
        self.assertFalse(driver.find_element(By.ID, "content").is_displayed())
        # Keys only from here: the form has the focus.
        wait_for("focus", lambda: driver.switch_to.active_element.get_attribute("id") == "token")
        driver.switch_to.active_element.send_keys("not-this", Keys.ENTER)
        wait_for("a refusal", lambda: "not the right one" in text(driver, "refused"))
        driver.find_element(By.ID, "token").send_keys(TOKEN, Keys.TAB)
        self.assertEqual(driver.switch_to.active_element.text, "Show status")
        driver.switch_to.active_element.send_keys(Keys.ENTER)
        wait_for("the numbers", lambda: is_live(driver))
        self.assertFalse(driver.find_element(By.ID, "login").is_displayed())
        driver.refresh()
        wait_for("the numbers again", lambda: is_live(driver))
        stored = driver.execute_script("return [JSON.stringify(localStorage), document.cookie]")
        self.assertNotIn(TOKEN, "".join(stored))
        leave = driver.find_element(By.ID, "leave")
        leave.send_keys(Keys.ENTER)
        wait_for("the form", lambda: driver.find_element(By.ID, "login").is_displayed())
        self.assertEqual(driver.execute_script("return sessionStorage.length"), 0)
        others = [c for c in complaints(driver) if "401" not in c]  # Chromium reports those itself
        self.assertEqual(others, [])

    def test_says_when_the_gateway_is_gone_and_comes_back(self):
        config = "\nadmin: { port: %d }"
        gateway = self.gateway(config % 0)
        open_page(self.driver, gateway)
        port = gateway.admin_port
        self.assertEqual(gateway.stop(), 0)
        wait_for("the notice", lambda: "does not answer" in text(self.driver, "gone"))
        self.assertEqual(text(self.driver, "state"), "Not connected")
        gateway.write(shop(self.backend, config % port))
        gateway.start()
        wait_for("being back", lambda: is_live(self.driver))
        self.assertEqual(text(self.driver, "gone"), "")

    def test_can_be_used_with_keys(self):
        gateway = self.gateway()
        open_page(self.driver, gateway)
        body = self.driver.find_element(By.TAG_NAME, "body")
        body.send_keys(Keys.TAB)
        self.assertEqual(self.driver.switch_to.active_element.text, "To the numbers")
        self.driver.switch_to.active_element.send_keys(Keys.ENTER)
        self.assertEqual(self.driver.switch_to.active_element.get_attribute("id"), "main")
        theme = self.driver.find_element(By.ID, "theme")
        for shown, spoken in (("Light", "Colours: light"), ("Dark", "Colours: dark"),
                              ("Auto", "Colours: as the system")):
            theme.send_keys(Keys.ENTER)
            self.assertEqual(theme.text, shown)
            self.assertEqual(theme.accessible_name, spoken)

    def test_everything_has_a_name(self):
        gateway = self.gateway()
        gateway.get("/back/x", Host="shop")
        open_page(self.driver, gateway)
        for name in ("button", "input", "a"):
            for element in self.driver.find_elements(By.TAG_NAME, name):
                if element.is_displayed():
                    self.assertTrue(element.accessible_name, element.get_attribute("outerHTML"))
        unnamed = self.driver.execute_script(
            "return [...document.querySelectorAll('svg')].filter(s => "
            "s.getAttribute('aria-hidden') !== 'true' && !s.getAttribute('aria-label')).length")
        self.assertEqual(unnamed, 0)
        tables = self.driver.execute_script(
            "return [...document.querySelectorAll('table')].filter(t => !t.caption.innerText || "
            "[...t.querySelectorAll('th')].some(h => !h.scope)).length")
        self.assertEqual(tables, 0)

    def test_dark_and_light_have_contrast(self):
        gateway = self.gateway()
        for dark in (False, True):
            look_like(self.driver, 1280, 900, dark)
            open_page(self.driver, gateway)
            for selector in ("body", ".card h3", "footer", "#state", "tbody th", "thead th"):
                ratio = self.driver.execute_script(CONTRAST, selector)
                self.assertGreaterEqual(ratio, 4.5, f"{selector}, dark={dark}")
            is_dark = self.driver.execute_script(
                "return getComputedStyle(document.body).backgroundColor") == "rgb(16, 23, 27)"
            self.assertEqual(is_dark, dark)

    def test_fits_a_phone(self):
        gateway = self.gateway()
        gateway.get("/dead", Host="shop")
        broken = (gateway.path / "gateway.yaml").read_text(encoding="utf-8")
        (gateway.path / "gateway.yaml").write_text(broken + "\nnoSuchKey: { a: 1 }\n")
        self.assertEqual(gateway.admin("/reload", "POST")[0], 422)
        for width in (320, 390, 768):
            look_like(self.driver, width, 700)
            open_page(self.driver, gateway)
            wide = self.driver.execute_script(
                "return document.documentElement.scrollWidth - document.documentElement.clientWidth")
            self.assertLessEqual(wide, 0, f"scrolls sideways at {width} pixels")
            self.assertIn("refused", text(self.driver, "reloads"))


CONTRAST = """
const light = (text) => {
  const [r, g, b] = text.match(/[\\d.]+/g).slice(0, 3).map(Number)
    .map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
let place = document.querySelector(arguments[0]);
const front = light(getComputedStyle(place).color);
while (getComputedStyle(place).backgroundColor === 'rgba(0, 0, 0, 0)') place = place.parentElement;
const back = light(getComputedStyle(place).backgroundColor);
return (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05);
"""

if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + ["-v"] + sys.argv[1:])
