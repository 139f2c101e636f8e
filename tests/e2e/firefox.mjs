// Drives Firefox for tests/e2e/test_firefox.py. Standard input has one step a line, as JSON; each gets a line as its answer.

import { createInterface } from "node:readline";
import puppeteer from "puppeteer-core";

const [, , executablePath, preferences] = process.argv;
const browser = await puppeteer.launch({
  browser: "firefox",
  executablePath,
  extraPrefsFirefox: JSON.parse(preferences),
  defaultViewport: { width: 1280, height: 800 },
});
const page = await browser.newPage();

const STEPS = {
  open: async (url) => void (await page.goto(url)),
  draw: async (strokes) => {
    const box = await (await page.$("#ink")).boundingBox();
    for (const stroke of strokes) {
      const [first, ...rest] = stroke.map(([x, y]) => [box.x + x * box.width, box.y + y * box.height]);
      await page.mouse.move(...first);
      await page.mouse.down();
      for (const point of rest) await page.mouse.move(...point, { steps: 2 });
      await page.mouse.up();
    }
  },
  click: (selector) => page.click(selector),
  text: (selector) => page.$eval(selector, (element) => element.textContent),
  // Not page.evaluate of a text, which the page's policy forbids.
  ask: (module, drawings) =>
    page.evaluate(async (name, asked) => {
      const { predict } = await import(new URL(name, document.baseURI));
      const { strokesRequest } = await import(new URL("js/service/predict.js", document.baseURI));
      const answers = [];
      for (const strokes of asked) answers.push(await predict({ strokes, request: () => strokesRequest(strokes) }));
      return answers;
    }, module, drawings),
};

for await (const line of createInterface({ input: process.stdin })) {
  const [step, ...content] = JSON.parse(line);
  console.log(JSON.stringify((await STEPS[step](...content)) ?? null));
}
await browser.close();
