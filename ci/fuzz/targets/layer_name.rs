//! The name of an overlaid directory's layers: one file name, from which the path can be read back unless it was too long.
#![no_main]

#[path = "../../../rocker-guard/src/layer_name.rs"]
#[allow(dead_code)]
mod layer_name;

use layer_name::LayerName;
use libfuzzer_sys::fuzz_target;

/// The path that a name was made of.
fn path_of(name: &[u8]) -> Vec<u8> {
    let mut path = vec![b'/'];
    let mut rest = name;
    while let [byte, tail @ ..] = rest {
        rest = tail;
        path.push(match (byte, tail) {
            (b'+', _) => b'/',
            (b'%', [b'2', letter @ (b'B' | b'5'), tail @ ..]) => {
                rest = tail;
                if *letter == b'B' { b'+' } else { b'%' }
            }
            (byte, _) => *byte,
        });
    }
    path
}

fuzz_target!(|names: &[u8]| {
    // A canonical path, as the kernel gives it.
    let names: Vec<_> = names.split(|byte| matches!(byte, b'/' | 0)).collect();
    let names = names
        .into_iter()
        .filter(|name| !matches!(*name, b"" | b"." | b".."));
    let path: Vec<u8> = names.flat_map(|name| [b"/", name].concat()).collect();
    if path.is_empty() {
        return;
    }
    let made = LayerName::of(&path);
    let name = made.as_c_str().to_bytes();
    assert!(!name.is_empty() && name.len() <= 255 && !name.contains(&b'/'));
    assert!(name != b"." && name != b"..");
    // The seats' files of the same directory start so.
    assert_ne!(name[0], b'+');
    let is_cut = name.len() == 255 && name[255 - 17] == b'~';
    assert!(
        is_cut || path_of(name) == path,
        "another path has this name"
    );
});
