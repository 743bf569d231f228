// The part of Cloudinary's API that Halftone calls, strict about everything that it can check, with the signing of Cloudinary's own package.
// Images are kept in memory. Prints its address, and ends when standard input closes.
//   https://cloudinary.com/documentation/image_upload_api_reference   https://cloudinary.com/documentation/admin_api
import http from 'node:http';
import cloudinary from 'cloudinary';

const { cloud, key, secret } = { cloud: 'shop-cloud', key: '123456789012345', secret: 'cloudinary-test-secret' };
const formats = { 'image/jpeg': 'jpg', 'image/png': 'png', 'image/webp': 'webp', 'image/gif': 'gif', 'image/avif': 'avif' };
const images = new Map();
const pageSize = Number(process.env.PAGE_SIZE ?? 500), largestBytes = Number(process.env.LARGEST_BYTES ?? Infinity);

class Refusal extends Error {
  constructor(status, message) { super(message); this.status = status; }
}

async function formOf(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const type = request.headers['content-type'] ?? '';
  if (!type.startsWith('multipart/form-data')) throw new Refusal(400, `Content-Type is ${type}`);
  return new Response(Buffer.concat(chunks), { headers: { 'content-type': type } }).formData();
}

// Every parameter but file, api_key and signature is signed, and none is unknown.
function checkSignature(form, allowed) {
  const values = Object.fromEntries([...form].filter(([, value]) => typeof value === 'string'));
  const { signature, api_key, file, ...signed } = values;
  if (api_key !== key) throw new Refusal(401, 'unknown api_key');
  for (const name of Object.keys(signed)) if (!allowed.includes(name) && name !== 'timestamp') throw new Refusal(400, `Unknown parameter ${name}`);
  if (Math.abs(Date.now() / 1000 - Number(signed.timestamp)) > 3600) throw new Refusal(401, 'Stale request');
  if (signature !== cloudinary.v2.utils.api_sign_request(signed, secret)) throw new Refusal(401, 'Invalid Signature');
  if (!/^[A-Za-z0-9_./-]+$/.test(signed.public_id)) throw new Refusal(400, 'public_id is invalid');
  return signed;
}

function checkAdmin(request) {
  if (request.headers.authorization !== `Basic ${Buffer.from(`${key}:${secret}`).toString('base64')}`) throw new Refusal(401, 'unauthorized');
}

const describe = image => ({ public_id: image.public_id, format: image.format, bytes: image.body.length, created_at: image.created_at, resource_type: 'image', type: 'upload' });

async function upload(request) {
  const form = await formOf(request);
  const { public_id } = checkSignature(form, ['public_id', 'overwrite', 'invalidate']);
  const file = form.get('file');
  if (typeof file === 'string') return copy(public_id, file);
  if (!(file instanceof Blob)) throw new Refusal(400, 'Missing required parameter - file');
  if (file.size > largestBytes) throw new Refusal(400, `File size too large. Got ${file.size}. Maximum is ${largestBytes}.`);
  const format = formats[file.type];
  if (!format) throw new Refusal(400, `Invalid image file of type ${file.type}`);
  const image = { public_id, format, type: file.type, body: Buffer.from(await file.arrayBuffer()), created_at: new Date().toISOString().replace(/\.\d+/, '') };
  images.set(public_id, image);
  return describe(image);
}

// "The remote HTTP or HTTPS URL of an existing file": of the addresses that it could fetch there are only its own here.
function copy(public_id, address) {
  const [, id, extension] = /^http:\/\/[^/]+\/shop-cloud\/image\/upload\/(.*)\.([a-z]+)$/.exec(address) ?? [];
  const found = images.get(id);
  if (!found || found.format !== extension) throw new Refusal(400, `Resource not found - ${address}`);
  const image = { ...found, public_id, created_at: new Date().toISOString().replace(/\.\d+/, '') };
  images.set(public_id, image);
  return describe(image);
}

async function destroy(request) {
  const { public_id } = checkSignature(await formOf(request), ['public_id', 'invalidate']);
  return { result: images.delete(public_id) ? 'ok' : 'not found' };
}

function list(url) {
  const found = [...images.values()].filter(image => image.public_id.startsWith(url.searchParams.get('prefix') ?? '')).sort((a, b) => a.public_id < b.public_id ? -1 : 1);
  const from = Number(url.searchParams.get('next_cursor') ?? 0), to = from + Math.min(pageSize, Number(url.searchParams.get('max_results') ?? 10));
  return { resources: found.slice(from, to).map(describe), ...(to < found.length ? { next_cursor: String(to) } : {}) };
}

function removeByPrefix(url) {
  const prefix = url.searchParams.get('prefix');
  if (!prefix) throw new Refusal(400, 'Missing prefix');
  const found = [...images.keys()].filter(id => id.startsWith(prefix));
  const now = found.slice(0, pageSize);
  for (const id of now) images.delete(id);
  return { deleted: Object.fromEntries(now.map(id => [id, 'deleted'])), partial: found.length > now.length, ...(found.length > now.length ? { next_cursor: 'more' } : {}) };
}

async function answer(request, response) {
  const url = new URL(request.url, 'http://localhost');
  const api = `/v1_1/${cloud}/`, delivery = `/${cloud}/image/upload/`, resource = `${api}resources/image/upload/`;
  const name = `${request.method} ${url.pathname}`;
  if (request.method === 'GET' && url.pathname.startsWith(delivery)) {
    const [, id, extension] = /^(.*)\.([a-z]+)$/.exec(decodeURIComponent(url.pathname.slice(delivery.length))) ?? [];
    const image = images.get(id);
    if (!image || image.format !== extension) { response.writeHead(404).end(); return; }
    response.writeHead(200, { 'content-type': image.type }).end(image.body);
    return;
  }
  let body;
  if (name === `POST ${api}image/upload`) body = await upload(request);
  else if (name === `POST ${api}image/destroy`) body = await destroy(request);
  else if (url.pathname.startsWith(`${api}resources/`)) {
    checkAdmin(request);
    if (name === `GET ${api}resources/image/upload`) body = list(url);
    else if (name === `DELETE ${api}resources/image/upload`) body = removeByPrefix(url);
    else if (request.method === 'GET' && url.pathname.startsWith(resource)) {
      const image = images.get(decodeURIComponent(url.pathname.slice(resource.length)));
      if (!image) throw new Refusal(404, 'Resource not found');
      body = describe(image);
    }
  }
  if (!body) throw new Refusal(404, `no route ${name}`);
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

const server = http.createServer((request, response) => answer(request, response).catch(error => {
  const status = error instanceof Refusal ? error.status : 500;
  response.writeHead(status, { 'content-type': 'application/json', 'x-cld-error': error.message }).end(JSON.stringify({ error: { message: error.message } }));
}));
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`));
process.stdin.resume().on('end', () => process.exit(0));
