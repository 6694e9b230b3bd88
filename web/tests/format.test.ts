import { describe, expect, test } from 'vitest';
import { byName, bytes, celsius, digits, parseBytes, percent, shareOf, watts } from '../src/format/number';
import { duration, moment, parseTime } from '../src/format/time';
import { safeText } from '../src/format/safe_text';

const plain = (text: string): string => text.replaceAll('\u00a0', ' ');

describe('numbers', () => {
  test.each([
    [0, '0'],
    [0.42, '0.42'],
    [4.25, '4.3'],
    [4, '4'],
    [42, '42'],
    [42.31, '42.3'],
    [99.97, '100'],
    [1234, '1234'],
  ])('%d is shown as %s', (value, text) => expect(digits(value)).toBe(text));

  test.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1 KiB'],
    [129922760704, '121 GiB'],
    [2 ** 50, '1 PiB'],
    [-2048, '-2 KiB'],
  ])('%d bytes are %s', (value, text) => expect(plain(bytes(value))).toBe(text));

  test('what is absent is a dash and never a zero', () => {
    for (const show of [percent, celsius, watts, bytes]) {
      for (const value of [null, undefined, NaN, Infinity]) expect(show(value)).toBe('–');
    }
    expect(plain(percent(0))).toBe('0 %');
  });

  test('a share is known only where both of it are', () => {
    expect(shareOf(1, 4)).toBe(25);
    expect(shareOf(null, 4)).toBeNull();
    expect(shareOf(1, null)).toBeNull();
    expect(shareOf(0, 0)).toBeNull();
  });

  test.each([
    ['memory_used_bytes', 1073741824, '1 GiB'],
    ['pcie_rx_bytes_per_second', 2097152, '2 MiB/s'],
    ['temperature_celsius', 73.6, '74 °C'],
    ['energy_joules', 3.6e6, '1 kWh'],
    ['ecc_enabled', true, 'yes'],
    ['performance_state', 'P0', 'P0'],
    ['serial', null, '–'],
  ])('the unit of %s is told by its name', (name, value, text) => expect(plain(byName(name, value))).toBe(text));

  test.each([
    ['16 GiB', 16 * 2 ** 30],
    ['16g', 16 * 2 ** 30],
    ['512MiB', 512 * 2 ** 20],
    ['1.5 GB', 1.5 * 2 ** 30],
    ['4096', 4096],
    ['', null],
    ['0', null],
    ['-4g', null],
    ['4 gib of it', null],
    ['9999999999p', null],
  ])('"%s" is a size of %s', (text, size) => expect(parseBytes(text)).toBe(size));
});

describe('times', () => {
  test.each([
    [0, '0 s'],
    [0.4, '< 1 s'],
    [59.9, '59 s'],
    [60, '1 min'],
    [61, '1 min'],
    [3600, '1 h'],
    [12000, '3 h 20 min'],
    [198000, '2 d 7 h'],
    [-5, '0 s'],
  ])('%d seconds last %s', (seconds, text) => expect(plain(duration(seconds))).toBe(text));

  test('a time that is none is not known', () => {
    expect(parseTime('2026-05-28T20:26:40.250Z')).toBe(1780000000250);
    for (const text of [null, undefined, '', 'soon']) expect(parseTime(text)).toBeNull();
    expect(moment(null)).toBe('–');
    expect(duration(null)).toBe('–');
  });

  test('the day is said where it is another one', () => {
    const time = new Date(2026, 4, 28, 20, 26, 40).getTime();
    expect(moment(time, time + 60_000)).toBe('20:26:40');
    expect(moment(time, time + 86_400_000)).toBe('2026-05-28 20:26:40');
  });
});

describe('names that may hold anything', () => {
  test.each([
    ['python3', 'python3'],
    ['a\u001b[31mred', 'a\ufffd[31mred'],
    ['two\nlines\tand a tab', 'two lines and a tab'],
    ['gpj.exe\u202etxt', 'gpj.exe\ufffdtxt'],
    ['zero\u200bwidth', 'zero\ufffdwidth'],
    ['\ud800lone', '\ufffdlone'],
    ['Größe 🚀', 'Größe 🚀'],
    ['<script>alert(1)</script>', '<script>alert(1)</script>'],
  ])('%j is shown as %j', (name, shown) => expect(safeText(name)).toBe(shown));

  test('one that is too long is cut, by characters', () => {
    expect(safeText('🚀'.repeat(100), 3)).toBe('🚀🚀🚀…');
    expect(safeText('a'.repeat(10_000_000), 10)).toBe('aaaaaaaaaa…');
    expect(safeText(null)).toBe('');
  });
});
