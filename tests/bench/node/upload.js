// Yardstick: what a careful Node team would write: express, multer to disk, SHA-256, fsync, rename,
// fsync of the directory, a row in PostgreSQL, 201. One process, or several by cluster.
'use strict';
const cluster = require('node:cluster');
const crypto = require('node:crypto');
const fs = require('node:fs');
const fsp = require('node:fs/promises');
const path = require('node:path');

const [port, dir, dsn, workers] = process.argv.slice(2);

function serve() {
  const express = require('express');
  const multer = require('multer');
  const { Pool } = require('pg');
  const pool = new Pool({ connectionString: dsn, max: 8 });
  const incoming = path.join(dir, 'incoming');
  const upload = multer({ storage: multer.diskStorage({ destination: incoming }) });

  function sha256(file) {
    return new Promise((resolve, reject) => {
      const hash = crypto.createHash('sha256');
      fs.createReadStream(file).on('data', (d) => hash.update(d))
        .on('end', () => resolve(hash.digest())).on('error', reject);
    });
  }

  async function durable(from, to) {
    const fd = await fsp.open(from, 'r+');
    await fd.sync();
    await fd.close();
    await fsp.rename(from, to);
    const d = await fsp.open(path.dirname(to), 'r');
    await d.sync();
    await d.close();
  }

  const app = express();
  app.post('/upload', upload.any(), async (req, res, next) => {
    try {
      const files = [];
      for (const f of req.files) {
        const id = crypto.randomUUID();
        const digest = await sha256(f.path);
        await durable(f.path, path.join(dir, 'files', id));
        await pool.query(
          'INSERT INTO bench_file (id, name, size, type, sha256) VALUES ($1, $2, $3, $4, $5)',
          [id, f.originalname, f.size, f.mimetype, digest]);
        files.push({ id, name: f.originalname, size: f.size, sha256: digest.toString('hex') });
      }
      res.status(201).json({ files });
    } catch (e) {
      next(e);
    }
  });
  app.listen(Number(port), '127.0.0.1', 4096);
}

if (cluster.isPrimary && Number(workers) > 1) {
  for (let i = 0; i < Number(workers); i++) cluster.fork();
} else {
  serve();
}
