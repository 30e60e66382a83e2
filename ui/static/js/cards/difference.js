// Which words of two texts have no counterpart in the other.

const WORDS_MAX = 600;

/** Two lists of { text, differs }, one per text, by the longest common run of words. */
export function marked(left, right) {
  const a = words(left);
  const b = words(right);
  if (a.length > WORDS_MAX || b.length > WORDS_MAX) return [plain(a), plain(b)];
  const common = table(a, b);
  const [one, two] = [plain(a, true), plain(b, true)];
  let [i, j] = [0, 0];
  while (i < a.length && j < b.length) {
    if (same(a[i], b[j])) {
      one[i].differs = two[j].differs = false;
      i += 1;
      j += 1;
    } else if (common[i + 1][j] >= common[i][j + 1]) i += 1;
    else j += 1;
  }
  return [one, two];
}

const words = (text) => String(text ?? "").split(/\s+/).filter(Boolean);
const plain = (list, differs = false) => list.map((text) => ({ text, differs }));
const bare = (word) => word.toLowerCase().replace(/[.,;:!?"'()]/g, "");
const same = (a, b) => bare(a) === bare(b);

function table(a, b) {
  const rows = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      rows[i][j] = same(a[i], b[j])
        ? rows[i + 1][j + 1] + 1
        : Math.max(rows[i + 1][j], rows[i][j + 1]);
    }
  }
  return rows;
}
