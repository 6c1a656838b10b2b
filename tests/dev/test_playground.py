"""The playground in a real Chromium: what it shows, with keyboard and mouse, and that nothing of it leaves this machine.

SCREENSHOTS=folder keeps a picture of each state. The browser is CHROMIUM's, else one that is found on the PATH.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import unittest
import urllib.error
import urllib.request
from pathlib import Path

try:
    from playwright.sync_api import expect, sync_playwright
except ImportError as missing:
    raise unittest.SkipTest(f"{missing}: run `make dev`") from missing

REPOSITORY = Path(__file__).resolve().parent.parent.parent
AUTHCTL = os.environ.get("AUTHCTL") or REPOSITORY / "target" / "debug" / "authctl"
NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
CHROMIUM = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
# No sandbox of its own, since tests run as root in containers; and it calls nobody.
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
# Two verdicts on a machine that does a lot beside.
PATIENCE_MS = 30_000

HOSTILE = '<img src=x onerror="window.hacked=1">'


@unittest.skipUnless(CHROMIUM, f"no Chromium: none of {', '.join(NAMES)} is installed, and CHROMIUM names none")
class Playground(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        cls.write(REPOSITORY / "authorizer.yaml", REPOSITORY / "authorizer.test.yaml")
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "AUTHORIZER_"))}
        cls.process = subprocess.Popen(
            [AUTHCTL, "dev", "--port", "0"], cwd=cls.folder, env=environment, stdout=subprocess.PIPE, text=True
        )
        cls.addClassCleanup(cls.end)
        cls.address = cls.process.stdout.readline().split()[-1]
        cls.base, cls.key = cls.address.split("/#")
        playwright = cls.enterClassContext(sync_playwright())
        cls.browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        cls.addClassCleanup(cls.browser.close)

    @classmethod
    def write(cls, config: Path, tests: Path):
        (cls.folder / "authorizer.yaml").write_text(config.read_text())
        (cls.folder / "authorizer.test.yaml").write_text(tests.read_text())

    @classmethod
    def end(cls):
        cls.process.send_signal(signal.SIGTERM)
        cls.process.stdout.close()
        cls.process.wait(10)

    def setUp(self):
        self.page = self.open()

    def open(self, **options):
        context = self.browser.new_context(**({"viewport": {"width": 1400, "height": 1000}} | options))
        self.addCleanup(context.close)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        expect.set_options(timeout=PATIENCE_MS)
        self.problems, self.asked = [], []
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("console", lambda line: self.problems.append(line.text) if line.type in ("error", "warning") else None)
        page.on("request", lambda request: self.asked.append(request.url))
        page.goto(self.address)
        expect(page.locator("#verdict .word")).to_be_visible()
        return page

    def tearDown(self):
        self.assertEqual(self.problems, [])
        self.assertEqual([url for url in self.asked if not url.startswith(self.base)], [])

    def picture(self, name: str, of: str | None = None):
        if folder := os.environ.get("SCREENSHOTS"):
            Path(folder).mkdir(parents=True, exist_ok=True)
            path = f"{folder}/{name}.png"
            if of:
                self.page.locator(of).screenshot(path=path)
            else:
                self.page.screenshot(path=path, full_page=True)

    def choose(self, persona: str, request: str, kind: str = "http_2.0"):
        self.page.get_by_label("Persona", exact=True).select_option(persona)
        self.page.get_by_label("Request", exact=True).fill(request)
        self.page.get_by_label("Event kind").select_option(kind)

    def verdict(self, *words: str):
        for word in words:
            expect(self.page.locator("#verdict")).to_contain_text(word)

    def tab(self, name: str):
        self.page.get_by_role("tab", name=name).click()
        return self.page.get_by_role("tabpanel", name=name)

    def edit(self, old: str, new: str):
        field = self.page.get_by_label("Configuration")
        text = field.input_value()
        self.assertIn(old, text)
        field.fill(text.replace(old, new))

    def test_a_request_is_judged_while_one_types(self):
        self.choose("reader", "GET /items")
        self.verdict("Allowed", "GET /items")
        self.picture("allowed")
        self.choose("reader", "POST /items")
        self.verdict("Forbidden (403)", "insufficient_scope")
        expect(self.tab("Explain")).to_contain_text("https://api.example.com/write")
        self.choose("reader", "GET /users/{writer}/orders")
        self.verdict("forbidden", "ANY /users/{user_id}/{proxy+}")
        self.picture("playground")
        self.choose("nobody", "POST /items")
        self.verdict("Unauthorized (401)", "missing_token")
        self.choose("unlucky", "GET /admin/reports")
        self.verdict("No decision (500)", "revocations_unavailable")
        self.choose("reader", "$connect")
        self.verdict("Allowed", "$connect")

    def test_the_answer_is_what_api_gateway_gets_by_that_event(self):
        self.choose("reader", "GET /items", "http_2.0")
        expect(self.tab("Answer")).to_contain_text('"isAuthorized": true')
        self.choose("reader", "GET /items", "rest_request")
        expect(self.tab("Answer")).to_contain_text('"Effect": "Allow"')
        self.choose("nobody", "GET /items", "rest_request")
        expect(self.tab("Answer")).to_contain_text('"errorMessage": "Unauthorized"')

    def test_the_event_has_a_word_in_the_place_of_the_token(self):
        self.choose("reader", "GET /items", "rest_token")
        panel = self.tab("Event")
        expect(panel).to_contain_text("Bearer ${READER}")
        self.assertNotIn("eyJ", panel.text_content())

    def test_a_persona_can_be_edited(self):
        self.choose("reader", "GET /admin/reports")
        self.verdict("insufficient_group")
        self.page.get_by_text("Edit the persona").click()
        own = self.page.get_by_label("What differs from it, as YAML")
        own.fill("groups: [admin]")
        self.verdict("Allowed")
        own.fill("{ groups: [admin], live: revoked }")
        self.verdict("token_revoked")
        own.fill("grups: [admin]")
        self.verdict("No verdict")
        expect(self.page.locator("#faults")).to_contain_text("unknown key")

    def test_routes_are_open_closed_or_ones_own(self):
        self.choose("reader", "GET /items")
        panel = self.tab("Routes")
        for route, state in [("GET /items", "open"), ("POST /items", "closed"), ("ANY /users/{user_id}/{proxy+}", "open for one's own")]:
            row = panel.get_by_role("row").filter(has=self.page.get_by_role("rowheader", name=route, exact=True))
            expect(row.get_by_role("cell").first).to_contain_text(state)
        self.picture("routes")

    def test_the_matrix_leads_to_the_explanation_of_a_cell(self):
        panel = self.tab("Matrix")
        expect(panel.get_by_role("columnheader", name="stolen")).to_be_visible()
        self.page.set_viewport_size({"width": 2200, "height": 900})
        self.picture("matrix", of=".try")
        panel.get_by_role("button", name="stolen, GET /admin/a/b: token_revoked. Explain").click()
        self.verdict("token_revoked")
        expect(self.page.locator("#verdict")).to_be_focused()
        expect(self.page.get_by_role("tabpanel", name="Explain")).to_contain_text("live check")

    def test_a_change_is_compared_with_the_saved_file(self):
        expect(self.tab("Changes")).to_contain_text("No request of the matrix is decided differently")
        self.edit("POST /items:  { any_scope: [https://api.example.com/write] }", "POST /items:  {}")
        panel = self.page.get_by_role("tabpanel", name="Changes")
        row = panel.get_by_role("row").filter(has_text="machine")
        expect(row).to_contain_text("newly allowed")
        expect(row).to_contain_text("insufficient_scope")
        expect(self.page.locator("#edited")).to_have_text("Edited, not saved.")
        self.picture("changes")
        self.page.get_by_role("button", name="Back to the saved files").click()
        expect(panel).to_contain_text("No request of the matrix is decided differently")

    def test_a_fault_has_its_line_and_leads_there(self):
        self.edit("any_scope: [https://api.example.com/read]", "any_skope: [https://api.example.com/read]")
        faults = self.page.locator("#faults")
        expect(faults).to_contain_text("any_skope")
        self.verdict("No verdict")
        self.picture("faults")
        faults.get_by_role("button").first.click()
        line = self.page.evaluate("(a => a.value.slice(0, a.selectionStart).split('\\n').length)(document.activeElement)")
        self.assertIn(f"line {line}", faults.text_content())

    def test_what_files_hold_is_text_and_never_a_part_of_the_page(self):
        name = json.dumps(HOSTILE)
        self.page.get_by_label("Personas and tests").fill(f"personas: {{ {name}: {{ claims: {{ sub: {name} }}, groups: [{name}] }} }}")
        self.edit("  GET /items:", f"  GET /hostile: {{ any_group: [{name}] }}\n  GET /items:")
        # Values of `environment` are gone with the file.
        expect(self.page.locator("#faults")).to_contain_text("USER_POOL_ID")
        self.edit("${USER_POOL_ID}", "us-east-1_AbCdEf123")
        self.edit("${CLIENT_IDS}", "web")
        self.edit("jwks_uri: ${JWKS_URI}", "")
        self.edit("${REVOCATIONS_TABLE}", "revocations")
        self.choose(HOSTILE, "GET /hostile")
        self.verdict("Allowed")
        for tab in ["Explain", "Answer", "Event", "Routes", "Matrix", "Changes"]:
            expect(self.tab(tab)).to_contain_text(re.compile("onerror=", re.IGNORECASE))
        self.assertEqual(self.page.locator("img").count(), 0)
        self.assertIsNone(self.page.evaluate("window.hacked ?? null"))

    def test_everything_can_be_reached_by_keyboard(self):
        reached = []
        for _ in range(40):
            self.page.keyboard.press("Tab")
            reached.append(self.page.evaluate("document.activeElement.id || document.activeElement.textContent"))
        for id in ["config", "tests", "persona", "request", "kind", "tab-explain", "panel-explain"]:
            self.assertIn(id, reached)
        self.page.get_by_role("tab", name="Explain").focus()
        for key, name in [("ArrowRight", "Answer"), ("End", "Changes"), ("ArrowRight", "Explain"), ("ArrowLeft", "Changes"), ("Home", "Explain")]:
            self.page.keyboard.press(key)
            expect(self.page.get_by_role("tab", name=name)).to_be_focused()
            expect(self.page.get_by_role("tabpanel", name=name)).to_be_visible()

    def test_every_field_has_a_label(self):
        unnamed = self.page.evaluate(
            "[...document.querySelectorAll('input, select, textarea')].filter(field => field.labels.length === 0).map(field => field.id)"
        )
        self.assertEqual(unnamed, [])

    def test_both_themes_have_contrast_and_a_narrow_page_does_not_scroll_sideways(self):
        for scheme in ["light", "dark"]:
            for width in [1400, 390]:
                self.page = self.open(color_scheme=scheme, reduced_motion="reduce", viewport={"width": width, "height": 900})
                for persona, request in [("reader", "GET /items"), ("reader", "POST /items"), ("unlucky", "GET /admin/a")]:
                    self.choose(persona, request)
                    expect(self.page.locator("#verdict")).not_to_be_empty()
                    low = self.page.evaluate(LOW_CONTRAST)
                    self.assertEqual(low, [], f"{scheme}, {width}")
                self.tab("Matrix")
                expect(self.page.get_by_role("columnheader", name="stolen")).to_be_attached()
                self.assertEqual(self.page.evaluate(LOW_CONTRAST), [], f"{scheme}, {width}")
                sideways = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
                self.assertLessEqual(sideways, 0, f"{scheme}, {width}")
                self.picture(f"{scheme}-{width}-matrix")
                self.tab("Explain")
                self.picture(f"{scheme}-{width}")

    def test_the_key_is_not_kept_in_the_address_and_without_it_nothing_is_told(self):
        self.assertEqual(self.page.url, f"{self.base}/")
        context = self.browser.new_context()
        self.addCleanup(context.close)
        stranger = context.new_page()
        stranger.goto(self.base)
        expect(stranger.get_by_role("alert")).to_contain_text("it has this session's key")
        self.assertEqual(stranger.get_by_label("Configuration").input_value(), "")

    def test_a_page_from_elsewhere_and_a_rebound_name_are_refused(self):
        def status(path: str, **headers: str) -> int:
            request = urllib.request.Request(self.base + path, headers={"x-authctl-key": self.key} | headers)
            try:
                with urllib.request.urlopen(request) as response:
                    return response.status
            except urllib.error.HTTPError as error:
                with error:
                    return error.code

        self.assertEqual(status("/api/project"), 200)
        self.assertEqual(status("/api/project", **{"x-authctl-key": "wrong"}), 401)
        self.assertEqual(status("/api/project", Host="rebound.example"), 421)
        self.assertEqual(status("/api/project", Origin="http://evil.example"), 403)
        self.assertEqual(status("/issuers/0/jwks.json", Host="rebound.example"), 421)
        self.assertEqual(status("/issuers/0/jwks.json"), 200)
        self.assertEqual(status("/issuers/9/jwks.json"), 404)


# Each text with its colour against the first opaque background behind it: WCAG 2.2, 1.4.3.
LOW_CONTRAST = """() => {
  const parse = (text) => (text.match(/[\\d.]+/g) ?? []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((c) => c / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (node) => {
    for (; node; node = node.parentElement) {
      const colour = parse(getComputedStyle(node).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || node.closest("[hidden], noscript, .spoken, .skip") || node.closest("option, datalist, script")) continue;
    const [one, other] = [light(parse(getComputedStyle(node).color)), light(behind(node))].sort((a, b) => b - a);
    const ratio = (one + 0.05) / (other + 0.05);
    if (ratio < 4.5) found.push(`${walker.currentNode.textContent.trim().slice(0, 30)}: ${ratio.toFixed(2)}`);
  }
  return found;
}"""


if __name__ == "__main__":
    unittest.main()
