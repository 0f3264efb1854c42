//! What `build --help` says beyond the list of options.

pub const BUILD_HELP: &str = "\
Choosing a compression. zstd (the default) suits nearly everything. lz4 reads twice as fast and is
about a third larger; gzip works on any kernel that has squashfs, and reads a third as fast. xz saves
2 % more of the disk than zstd, reads ten times more slowly and starts an App four times more slowly.
'none' suits content that is compressed already. --advise measures all of them with DIR.

Choosing a block size. Larger blocks pack tighter, but the kernel keeps several of them for each
mount, and reads a whole one for the smallest file. Kernel memory per mount with zstd: about 0.2 MB
at 16K, 0.6 MB at 64K, 1.1 MB at 128K, 5.6 MB at 1M.

The same tree and options give the same bytes. For that, times are not those of the tree: every file
gets one time, see --time. Nothing else is changed: modes with setuid and sticky bits, owners, hard
links, holes, symlinks, device nodes, fifos, sockets and the extended attributes user.*, trusted.*
and security.* are kept. Squashfs cannot hold others, such as POSIX ACLs: a warning names them.
Device nodes are packed, but a package that is mounted nodev, as rocker does, does not open them.

The package appears whole under its name, or not at all.

--advise packs DIR in some twenty ways and prints a row for each: the size; the kernel memory of one
mount; a start from nothing in memory and one right after it; reading all files, and 4 KiB at random
places, from nothing in memory; and how much came from the disk meanwhile. The unpacked DIR, where it
lies, takes turns with them. Only root can measure; others get the sizes. It then recommends:
  flash   the smallest package of those within all limits
  speed   the one that starts soonest from nothing in memory
  memory  the one that takes least kernel memory
Within 2 % counts as equal: then the cold start decides (flash), or the size (speed, memory).
The limits: it reads cold no slower than the unpacked tree; it starts cold within twice its time;
--max-memory; it saves 60 % of the disk. If nothing is within all, as few as possible are given up,
rather the first than the last.";
