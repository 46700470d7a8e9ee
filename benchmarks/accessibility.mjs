// Opens pages in Chromium without a network, in each width and colour scheme, and prints what axe finds, as JSON lines.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const [modules, chromium, pictures, ...pages] = process.argv.slice(2);
const require = createRequire(pathToFileURL(`${modules}/`));
const { launch } = require('puppeteer-core');
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const args = ['--no-sandbox', '--disable-gpu'];
const browser = await launch({ executablePath: chromium, args, protocolTimeout: 600_000 });
try {
  for (const file of pages) {
    const page = await browser.newPage();
    await page.setOfflineMode(true);
    const asked = [];
    page.on('request', request => asked.push(request.url()));
    await page.goto(pathToFileURL(file).href);
    const loaded = asked.length - 1; // the page itself is asked for
    for (const scheme of ['light', 'dark']) {
      await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
      for (const width of [1280, 800, 375]) {
        await page.setViewport({ width, height: 900 });
        await page.evaluate(axe);
        const found = await page.evaluate(() => axe.run(document, { resultTypes: ['violations'] }));
        const wide = await page.evaluate(() => document.documentElement.scrollWidth);
        const violations = found.violations.map(v => ({ impact: v.impact, id: v.id, nodes: v.nodes.length, first: v.nodes[0].html.slice(0, 160) }));
        console.log(JSON.stringify({ file, scheme, width, wide, loaded, violations }));
        if (pictures) await page.screenshot({ path: `${pictures}/${scheme}-${width}.png`, fullPage: true });
      }
    }
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: 'light' }]);
    if (pictures) await page.pdf({ path: `${pictures}/a4.pdf`, preferCSSPageSize: true });
    await page.close();
  }
} finally {
  await browser.close();
}
