// Package store keeps bytes on disk so that a crash loses none that were
// committed: values under keys, of which the latest counts, and rows, which stay
// until each target they are meant for has settled them.
//
// A Store owns its folder; a lock keeps other processes out. It starts no
// goroutine: all work is done by Commit. Values are not kept in memory, only where
// on disk they are.
//
// # How it works
//
// A commit is appended to the newest segment file with one write (several, when
// it is long) and one fdatasync. When a segment has reached its size, the next
// commit begins another. Segments are deleted oldest first, when each value in
// them has been replaced and all their rows are settled. Values that are not
// replaced are copied forward, a little with each commit, when the folder has
// become large compared with what lives in it.
//
// Commits begin at block boundaries. So a write never touches a block that holds
// what has been committed before, and when it fails, or the fdatasync after it,
// nothing older is in doubt. A segment with such a failure is not written again,
// but for the last commit found at the next start: the system may know it without
// the disk, so it is written once more, as it is.
//
// # Layout
//
// The folder has a file "lock", which is empty, and segments. The name of a
// segment is its number, which grows by 1 from segment to segment, in 16
// hexadecimal digits, and ".seg". Integers are little-endian, "varint" is the
// unsigned one of encoding/binary, and checksums are CRC-32C (Castagnoli). A block
// is 4096 bytes.
//
// The first block of a segment begins with its header; the rest is zero:
//
//	 0  8 bytes   "tocsinJ\n"
//	 8  uint32    format version: 1
//	12  uint64    number of the segment, as in its name
//	20  uint64    number of the segment that precedes it, 0 if none does
//	28  uint64    length of the valid part of that segment, a multiple of 4096
//	36  uint64    number of the first commit in this segment
//	44  uint32    checksum of the bytes before
//
// Segments between the preceding one and this one are void: a disk failed while
// they were written. What is beyond the valid part of a segment is void too. If
// the preceding segment is older than all that exist, it is no longer needed.
//
// Commits follow, each beginning at a block boundary and padded with zeros to the
// next. Commits are numbered without gaps across segments. A commit is a run of
// frames:
//
//	 0  uint32    checksum of the rest of the frame
//	 4  3 bytes   length of the body, at most 1114144
//	 7  1 byte    kind, plus 128 if the chunk in the body is an S2 block
//	 8  uint64    number of the commit
//	16            body
//
// The checksum starts from the lower 32 bits of (number of the segment *
// 0x9e3779b9 + offset of the frame), as if that were the checksum of what comes
// before. So a frame is valid in its own place only. Bodies by kind:
//
//	1 value       varint length of the key, key, varint length of the value, chunk
//	2 rows        varint number of samples, varint length of the rows, chunk
//	3 more        a further chunk of the value or rows before it
//	4 removal     key
//	5 cursors     for each target: varint length of its name, name, varint number
//	              of the last commit whose rows it has settled
//	6 end         uint64 Unix time in milliseconds, uint32 number of frames before
//	              this one in the commit
//
// Chunks hold up to 65536 bytes each. A commit counts when all its frames are
// valid and its last is an end; it has at most one rows frame. The first commit of
// each segment has the cursors.
//
// # Reading
//
// Segments are read in order, each up to the end that the next one tells. The
// newest is read up to the first commit that does not count, which a crash has
// cut short, unless a valid frame of a still later commit stands at a block
// boundary after it. Anything else that is not as described is damage; then all
// segments are moved to a folder "corrupt-<time>" and the store starts empty.
package store
