#!/usr/bin/python3
"""The ctypes declarations are those of include/gpukeeper/gpukeeper.h, by a C compiler's word."""
import ctypes
import os
import re
import shutil
import subprocess
import unittest

import support
from gpukeeper import LibraryMissing, _native

HEADER = os.path.join(support.ROOT, "include/gpukeeper/gpukeeper.h")


def header():
    with open(HEADER, encoding="utf-8") as file:
        return re.sub(r"/\*.*?\*/", "", file.read(), flags=re.S)


@unittest.skipUnless(os.path.exists(HEADER), "there is no gpukeeper.h")
class HeaderTest(unittest.TestCase):
    @unittest.skipUnless(shutil.which("cc"), "there is no C compiler")
    def test_structures_have_the_sizes_and_offsets_of_the_header(self):
        lines, expected = [], []
        for structure in _native.STRUCTURES:
            name = structure.__name__
            lines.append(f'printf("{name} %zu\\n", sizeof({name}));')
            expected.append(f"{name} {ctypes.sizeof(structure)}")
            for field, _ in structure._fields_:
                lines.append(f'printf("{name}.{field} %zu %zu\\n", offsetof({name}, {field}), sizeof((({name}*)0)->{field}));')
                place = getattr(structure, field)
                expected.append(f"{name}.{field} {place.offset} {place.size}")
        folder = support.folder()
        source, program = os.path.join(folder, "layout.c"), os.path.join(folder, "layout")
        with open(source, "w", encoding="utf-8") as file:
            file.write('#include <stdio.h>\n#include "gpukeeper/gpukeeper.h"\nint main(void) {\n' + "\n".join(lines) + "\n}\n")
        subprocess.run(["cc", "-std=c11", "-Wall", "-Werror", "-I", os.path.join(support.ROOT, "include"), source, "-o", program], check=True)
        said = subprocess.run([program], capture_output=True, text=True, check=True).stdout.split("\n")
        self.assertEqual([line for line in said if line], expected)

    def test_every_member_of_a_structure_is_declared(self):
        for structure in _native.STRUCTURES:
            body = re.search(r"typedef struct %s \{(.*?)\}" % structure.__name__, header(), re.S).group(1)
            members = re.findall(r"(\w+)(?:\[\d+\])?;", body)
            self.assertEqual(members, [name for name, _ in structure._fields_], structure.__name__)

    def test_every_function_is_declared_with_as_many_arguments(self):
        found = {}
        for name, arguments in re.findall(r"GK_API[^;]*?(gk_\w+)\(([^)]*)\);", header()):
            found[name] = 0 if arguments.strip() == "void" else arguments.count(",") + 1
        self.assertEqual(found, {name: len(arguments) for name, (_, arguments) in _native.FUNCTIONS.items()})

    def test_every_result_has_its_exception(self):
        results = dict(re.findall(r"GK_(\w+) = (\d+)", re.search(r"typedef enum gk_result \{(.*?)\}", header(), re.S).group(1)))
        self.assertEqual(sorted(int(number) for name, number in results.items() if name != "OK"), sorted(_native.BY_RESULT))

    def test_the_interface_number_is_the_headers(self):
        self.assertEqual(re.search(r"#define GK_ABI (\d+)", header()).group(1), str(_native.ABI))


class LoadTest(unittest.TestCase):
    def setUp(self):
        before = _native._library
        _native._library = None
        self.addCleanup(setattr, _native, "_library", before)

    def named(self, path):
        before = os.environ.get("GPUKEEPER_LIBRARY", "")
        os.environ["GPUKEEPER_LIBRARY"] = path
        self.addCleanup(os.environ.__setitem__, "GPUKEEPER_LIBRARY", before)

    def test_a_library_that_is_not_there_is_named_with_what_to_do(self):
        self.named("/nowhere/libgpukeeper.so.0")
        with self.assertRaises(LibraryMissing) as raised:
            _native.load()
        self.assertEqual(
            str(raised.exception),
            "libgpukeeper cannot be loaded: tried /nowhere/libgpukeeper.so.0 (/nowhere/libgpukeeper.so.0: cannot open shared "
            "object file: No such file or directory); build it with ./test or name it in $GPUKEEPER_LIBRARY")

    def test_a_library_of_something_else_is_refused(self):
        self.named("libc.so.6")
        with self.assertRaisesRegex(LibraryMissing, r"tried libc\.so\.6 \(.*undefined symbol: gk_abi\)"):
            _native.load()

    @support.needs_library
    def test_the_built_one_has_every_function(self):
        self.named(support.LIBRARY)
        self.assertGreaterEqual(_native.load().gk_abi(), _native.ABI)


class TextTest(unittest.TestCase):
    def test_what_c_would_cut_is_refused(self):
        with self.assertRaisesRegex(ValueError, r"'a\\x00b' has a zero byte in it"):
            _native.encoded("a\0b")

    def test_what_is_no_utf8_is_refused(self):
        with self.assertRaisesRegex(ValueError, r"'\\ud800' is no UTF-8 text: surrogates not allowed"):
            _native.encoded("\ud800")

    def test_foreign_bytes_are_shown(self):
        self.assertEqual(_native.text(b"GPU \xff"), "GPU \ufffd")


if __name__ == "__main__":
    unittest.main()
