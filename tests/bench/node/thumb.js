// Yardstick: sharp, long-lived, one thread: reads every picture given, writes a JPEG thumbnail each,
// and prints the CPU seconds used, the wall seconds, and the peak memory of the process.
'use strict';
const fs = require('node:fs');
const sharp = require('sharp');

const [side, quality, repeat, ...pictures] = process.argv.slice(2);
sharp.concurrency(1);
sharp.cache(false);

async function all() {
  for (const p of pictures) {
    await sharp(fs.readFileSync(p)).rotate()
      .resize(Number(side), Number(side), { fit: 'inside', withoutEnlargement: true })
      .jpeg({ quality: Number(quality) }).toBuffer();
  }
}

(async () => {
  await all(); // warm
  const c0 = process.cpuUsage();
  const t0 = process.hrtime.bigint();
  for (let i = 0; i < Number(repeat); i++) await all();
  const c = process.cpuUsage(c0);
  console.log(JSON.stringify({
    cpu: (c.user + c.system) / 1e6,
    wall: Number(process.hrtime.bigint() - t0) / 1e9,
    pictures: pictures.length * Number(repeat),
    maxRssKiB: process.resourceUsage().maxRSS,
  }));
})();
