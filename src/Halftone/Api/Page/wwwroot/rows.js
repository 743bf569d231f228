// The first rows of a file, for display only. The server parses the file; it also says the encoding and delimiter.

const Head = 256 * 1024;

/** At most `limit` records of the file. `dialect` comes from the server, such as "utf-8 comma". */
export async function firstRows(file, dialect, limit) {
  const [encoding, delimiter] = dialect.split(' ');
  const bytes = await headOf(file);
  const sign = { comma: ',', semicolon: ';', tab: '\t', pipe: '|' }[delimiter] ?? ',';
  const text = new TextDecoder(encoding.replace(/-?bom$/, '') || 'utf-8').decode(bytes);
  const records = parse(withoutSeparatorLine(text, sign), sign, limit + 1);
  // The last record may be cut off.
  return bytes.length < Head ? records.slice(0, limit) : records.slice(0, Math.min(limit, records.length - 1));
}

/** Removes a first line such as "sep=;", which is not a header. */
function withoutSeparatorLine(text, delimiter) {
  const [line] = /^.*/.exec(text);
  return line.toLowerCase() === `sep=${delimiter}` ? text.slice(line.length) : text;
}

async function headOf(file) {
  const start = new Uint8Array(await file.slice(0, 2).arrayBuffer());
  if (start[0] !== 0x1f || start[1] !== 0x8b) return new Uint8Array(await file.slice(0, Head).arrayBuffer());
  const reader = file.stream().pipeThrough(new DecompressionStream('gzip')).getReader();
  const bytes = new Uint8Array(Head);
  let length = 0;
  while (length < Head) {
    const { value, done } = await reader.read();
    if (done) break;
    const part = value.subarray(0, Head - length);
    bytes.set(part, length);
    length += part.length;
  }
  await reader.cancel();
  return bytes.subarray(0, length);
}

function parse(text, delimiter, limit) {
  const records = [];
  let record = [], cell = '', isQuoted = false;
  for (let i = 0; i < text.length && records.length < limit; i++) {
    const c = text[i];
    if (isQuoted) {
      if (c !== '"') cell += c;
      else if (text[i + 1] === '"') { cell += '"'; i++; }
      else isQuoted = false;
    } else if (c === '"' && cell === '') isQuoted = true;
    else if (c === delimiter) { record.push(cell); cell = ''; }
    else if (c === '\n' || c === '\r') {
      if (c === '\r' && text[i + 1] === '\n') i++;
      record.push(cell);
      if (record.length > 1 || cell !== '') records.push(record);
      record = [];
      cell = '';
    } else cell += c;
  }
  if (records.length < limit && (cell !== '' || record.length > 0)) records.push([...record, cell]);
  return records;
}
