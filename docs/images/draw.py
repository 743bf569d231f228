#!/usr/bin/env python3
"""Draws system.svg, workflow.svg, states.svg and tables.svg beside this file. Run it after a change: python3 docs/images/draw.py

With --check it writes nothing, prints the name of each drawing that is not what it would write, and fails if there is one.
Each drawing has its own background and both colour schemes, so it is readable on any page. Texts are at least 12 units high.
"""
import sys
from html import escape
from pathlib import Path

STALE = []

STYLE = """
.ht{--paper:#fff;--ink:#1b1f24;--soft:#57606a;--edge:#8c959f;--box:#f3f5f7;--outer:#eaf2fb;--accent:#0b62c4}
.ht{font:14px system-ui,-apple-system,"Segoe UI",sans-serif}
@media (prefers-color-scheme:dark){
.ht{--paper:#12161c;--ink:#e6e9ed;--soft:#a3acb8;--edge:#6b7684;--box:#1e252e;--outer:#16243a;--accent:#6cb0ff}}
.ht .paper{fill:var(--paper)}.ht .box{fill:var(--box);stroke:var(--edge)}.ht .outer{fill:var(--outer);stroke:var(--accent)}
.ht text{fill:var(--ink)}.ht .title{font-weight:600}.ht .soft{fill:var(--soft);font-size:12px}
.ht .mono{font:12px ui-monospace,Menlo,monospace}
.ht .line{fill:none;stroke:var(--edge);stroke-width:1.5}.ht .head{fill:var(--edge)}
.ht .dot{fill:var(--accent)}.ht .number{fill:var(--paper);font-weight:600;font-size:12px}
"""


class Drawing:
    def __init__(self, name, width, height, title, description):
        self.name, self.parts = name, [
            f'<svg xmlns="http://www.w3.org/2000/svg" class="ht" viewBox="0 0 {width} {height}" role="img"'
            f' aria-labelledby="{name}-title {name}-text">',
            f'<title id="{name}-title">{escape(title)}</title>', f'<desc id="{name}-text">{escape(description)}</desc>',
            f'<style>{STYLE}</style>',
            f'<marker id="{name}-head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto-start-reverse">'
            '<path class="head" d="M0 0L8 4L0 8z"/></marker>',
            f'<rect class="paper" width="{width}" height="{height}" rx="8"/>']

    def text(self, x, y, text, kind="", anchor="middle"):
        self.parts.append(f'<text class="{kind}" x="{x}" y="{y}" text-anchor="{anchor}">{escape(text)}</text>')

    def box(self, x, y, width, height, title, *lines, kind="box"):
        """A box with its title and softer lines below it, all centred."""
        self.parts.append(f'<rect class="{kind}" x="{x}" y="{y}" width="{width}" height="{height}" rx="6"/>')
        top = y + height / 2 - 9 * len(lines) + 5
        self.text(x + width / 2, top, title, "title")
        for number, line in enumerate(lines, 1):
            self.text(x + width / 2, top + 18 * number, line, "soft")

    def frame(self, x, y, width, height, title):
        self.parts.append(f'<rect class="outer" x="{x}" y="{y}" width="{width}" height="{height}" rx="8"/>')
        self.text(x + 16, y + 24, title, "title", "start")

    def arrow(self, *points, label=None, at=None, both=False, anchor="middle"):
        path = "M" + "L".join(f"{x} {y}" for x, y in points)
        start = f' marker-start="url(#{self.name}-head)"' if both else ""
        self.parts.append(f'<path class="line" d="{path}" marker-end="url(#{self.name}-head)"{start}/>')
        if label:
            self.text(*at, label, "soft", anchor)

    def number(self, x, y, number):
        self.parts.append(f'<circle class="dot" cx="{x}" cy="{y}" r="11"/>')
        self.text(x, y + 4, str(number), "number")

    def save(self):
        file, drawn = Path(__file__).with_name(self.name + ".svg"), "\n".join([*self.parts, "</svg>\n"])
        if "--check" not in sys.argv:
            file.write_text(drawn)
        elif not file.exists() or file.read_text() != drawn:
            STALE.append(file.name)


def system():
    d = Drawing("system", 1000, 500, "System",
                "A client uploads a CSV to the API of halftone serve. Intake writes rows to the database and messages to the queue. "
                "Workers fetch, compress, store and record each image, then completion writes the result and webhooks are delivered. "
                "Image hosts and webhook endpoints are outside.")
    d.box(20, 90, 130, 70, "Client", "browser, curl,", "halftone upload")
    d.frame(210, 30, 580, 310, "halftone serve")
    d.box(235, 70, 150, 110, "API", "upload, status,", "results, webhooks,", "page, docs")
    d.box(235, 225, 150, 90, "Intake", "checks the CSV,", "writes rows")
    d.box(425, 225, 150, 90, "Queue", "in the process", "or RabbitMQ")
    d.frame(410, 70, 366, 110, "")
    d.text(764, 94, "Worker: each image", "title", "end")
    for number, (name, note) in enumerate([("Fetch", "SSRF guard"), ("Compress", "child"), ("Store", "new key"), ("Record", "batched")]):
        d.box(415 + 91 * number, 108, 82, 60, name, note)
        if number:
            d.arrow((406 + 91 * number, 138), (415 + 91 * number, 138))
    d.box(615, 225, 150, 90, "Completion", "result CSV,", "webhooks")
    d.box(850, 90, 130, 70, "Image hosts", "hostile")
    d.box(850, 235, 130, 70, "Your endpoint", "signed events")
    d.box(235, 400, 220, 70, "Database", "SQLite or PostgreSQL", "requests, products, images")
    d.box(545, 400, 220, 70, "Stores", "folder, S3 or Cloudinary", "uploads, results, images")
    d.arrow((150, 125), (235, 125), both=True, label="HTTP", at=(180, 117))
    d.arrow((310, 180), (310, 225))
    d.arrow((385, 270), (425, 270))
    d.arrow((500, 225), (500, 180))
    d.arrow((690, 180), (690, 225), label="last image", at=(698, 207), anchor="start")
    d.arrow((575, 290), (615, 290))
    d.arrow((457, 108), (457, 52), (915, 52), (915, 90), label="GET", at=(820, 46))
    d.arrow((765, 270), (850, 270), label="POST", at=(820, 262))
    d.arrow((345, 340), (345, 400), both=True)
    d.arrow((655, 340), (655, 400), both=True)
    d.save()


def workflow():
    d = Drawing("workflow", 1000, 430, "Workflow",
                "Ten steps: upload, check, promise with answer 200, plan, fetch, compress, store, record, finish, deliver. Plan to record "
                "repeat until no image is pending. A failed fetch that may pass is retried after 1, 5 and 20 seconds.")
    rows = [
        (60, [("Upload", "body to disk,", "flushed"), ("Check", "the whole CSV,", "every problem"),
              ("Promise", "rows and outbox", "in one commit"), ("Plan", "16 images,", "then the next")]),
        (220, [("Record", "outcome, guarded", "by state and run"), ("Store", "under a", "random key"),
               ("Compress", "quality 50,", "child process"), ("Fetch", "address checked", "at connect")])]
    xs = [40, 285, 530, 775]
    for row, (y, steps) in enumerate(rows):
        for column, (name, *lines) in enumerate(steps):
            d.box(xs[column], y, 185, 84, name, *lines)
            d.number(xs[column], y, column + 1 if row == 0 else 8 - column)
    for column in range(3):
        d.arrow((xs[column] + 185, 102), (xs[column + 1], 102))
        d.arrow((xs[column + 1], 262), (xs[column] + 185, 262))
    d.text(622, 40, "200 request_id", "soft")
    d.arrow((867, 144), (867, 220), label="each image", at=(877, 187), anchor="start")
    d.arrow((132, 220), (132, 182), (840, 182), (840, 144), label="until no image is pending", at=(480, 175))
    d.arrow((960, 250), (982, 250), (982, 278), (960, 278))
    d.text(867, 322, "again after 1, 5, 20 s if it may pass", "soft")
    d.box(40, 340, 185, 70, "Finish", "result CSV, final state")
    d.number(40, 340, 9)
    d.box(285, 340, 185, 70, "Deliver", "signed webhook, retried")
    d.number(285, 340, 10)
    d.arrow((132, 304), (132, 340), label="the last one", at=(142, 326), anchor="start")
    d.arrow((225, 375), (285, 375))
    d.save()


def states():
    d = Drawing("states", 1000, 470, "States",
                "A request goes from receiving to pending, processing and completed or failed, or through cancelling to cancelled. "
                "Retry leads back to pending, delete to deleting. An image goes from pending to completed or failed, and back by undo or retry.")
    d.text(20, 32, "Request", "title", "start")
    d.box(20, 60, 130, 50, "receiving", kind="box")
    d.box(230, 60, 130, 50, "pending")
    d.box(450, 60, 130, 50, "processing")
    d.box(720, 40, 130, 50, "completed")
    d.box(720, 110, 130, 50, "failed")
    d.box(450, 190, 130, 50, "cancelling")
    d.box(720, 190, 130, 50, "cancelled")
    d.box(230, 190, 130, 50, "deleting")
    d.arrow((150, 85), (230, 85), label="promise", at=(190, 78))
    d.arrow((360, 85), (450, 85), label="plan", at=(405, 78))
    d.arrow((580, 75), (720, 65), label="finish", at=(645, 60))
    d.arrow((580, 95), (720, 130), label="finish", at=(670, 106), anchor="start")
    d.arrow((515, 110), (515, 190), label="cancel", at=(523, 155), anchor="start")
    d.arrow((345, 110), (465, 190), label="cancel", at=(385, 155), anchor="end")
    d.arrow((580, 215), (720, 215), label="finish", at=(650, 208))
    d.arrow((85, 110), (85, 215), (230, 215), label="abandon", at=(160, 208))
    d.arrow((850, 65), (950, 65), (950, 26), (295, 26), (295, 60), label="retry", at=(600, 20))
    d.arrow((850, 135), (950, 135), (950, 65))
    d.arrow((850, 215), (950, 215), (950, 135))
    d.text(295, 262, "delete, from every state but receiving", "soft")
    d.text(20, 318, "Image", "title", "start")
    d.box(230, 350, 130, 50, "pending")
    d.box(520, 310, 130, 50, "completed")
    d.box(520, 400, 130, 50, "failed")
    d.arrow((360, 365), (520, 330), label="complete", at=(430, 338))
    d.arrow((520, 348), (360, 376), label="undo", at=(500, 372))
    d.arrow((360, 390), (520, 420), label="fail", at=(440, 400))
    d.arrow((520, 438), (295, 438), (295, 400), label="retry", at=(400, 432))
    d.save()


def tables():
    d = Drawing("tables", 1000, 570, "Tables",
                "A request has products, a product has images. A request has error counts and deliveries, a webhook has deliveries, and a "
                "delivery has attempts. outbox, api_key, id_block, setting and migration have no relations.")

    def table(x, y, name, *columns):
        height = 38 + 18 * len(columns)
        d.parts.append(f'<rect class="box" x="{x}" y="{y}" width="210" height="{height}" rx="6"/>')
        d.text(x + 12, y + 22, name, "title", "start")
        d.parts.append(f'<path class="line" d="M{x} {y + 31}h210"/>')
        for number, column in enumerate(columns):
            d.text(x + 12, y + 48 + 18 * number, column, "mono", "start")

    table(30, 30, "request", "request_id  key", "state, run, planned_to", "products, images", "completed, failed",
          "quality, format, …", "webhook_url", "upload_key, result_key", "created_at, updated_at")
    table(390, 30, "product", "product_id  key", "request_id", "line", "serial_number", "product_name", "first_image_id, images")
    table(750, 30, "image", "image_id  key", "product_id", "input_url", "state, attempt", "object_key, variants",
          "error_code, http_status", "bytes_in, bytes_out", "created_at, updated_at")
    table(390, 225, "error_count", "request_id, error_code", "host  key", "images")
    table(30, 270, "webhook", "webhook_id  key", "callback_url", "owner, request_id", "disabled_at")
    table(390, 345, "delivery", "delivery_id  key", "request_id, webhook_id", "state, attempt", "next_attempt_at", "body")
    table(750, 345, "delivery_attempt", "delivery_id, attempt  key", "attempted_at", "http_status, error", "milliseconds")
    alone = [("outbox", "message"), ("api_key", "key_hash"), ("id_block", "next_id"), ("setting", "name, value"),
             ("migration", "applied_at")]
    for x, (name, column) in zip(range(30, 1000, 196), alone):
        d.parts.append(f'<rect class="box" x="{x}" y="495" width="160" height="56" rx="6"/>')
        d.text(x + 12, 517, name, "title", "start")
        d.text(x + 12, 538, column, "mono", "start")
    d.arrow((240, 90), (390, 90), label="1 to many", at=(315, 82))
    d.arrow((600, 90), (750, 90), label="1 to many", at=(675, 82))
    d.arrow((240, 180), (315, 180), (315, 265), (390, 265))
    d.arrow((240, 200), (300, 200), (300, 395), (390, 395))
    d.arrow((240, 345), (270, 345), (270, 420), (390, 420))
    d.arrow((600, 405), (750, 405), label="1 to many", at=(675, 397))
    d.save()


for draw in (system, workflow, states, tables):
    draw()
if STALE:
    sys.exit("\n".join(STALE))
