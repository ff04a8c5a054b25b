package maildir

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math"

	"postfach/internal/vfs"
	"postfach/maildrop"
	"postfach/pop3"
)

// An index is a snapshot as octets, so that it outlives the process. It is a cache:
// at the first doubt it is as if there were none. All numbers are little-endian:
//
//	magic
//	length of what follows, with the checksum   8
//	octets of boot, of root                     4, 4
//	messages, unsettled, devices                4, 4, 4
//	octets of names, of ids                     8, 8
//	1 if it is whole, else 0                    8
//	the Maildir's folder: device, inode         8, 8
//	new/, cur/: device, inode, and times of
//	  modification and of the inode             8, 8, 8, 8 each
//	devices                                     8 each
//	messages: inode, time, length, size         8, 8, 8, 8 each
//	  octets of the name, of the id             2, 2
//	  folder, device, two zeros                 1, 1, 1, 1
//	unsettled                                   4 each
//	boot, root, names, ids
//	CRC-32C of all before                       4
//
// An id that has no octets of its own is what its number says of the name: see
// indexRecord.
const indexMagic = "postfach index 1\n"

const (
	indexHead   = 3*8 + 5*4 + 8 + 2*8 + 2*4*8 // up to the devices, without magic
	indexRecord = 4*8 + 2*2 + 4
	// ownID is a bit in the octets of an id: it is the beginning of the name.
	ownID = 1 << 15
)

// errIndex: these octets are no index of this maildrop.
var errIndex = errors.New("not an index of this Maildir")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// formatIndex returns the index of a snapshot, or nil when it has none: it has more
// than the format can say.
func formatIndex(x *snapshot, root, boot string) []byte {
	devices, numbers := []uint64{}, map[uint64]uint8{}
	names, ids := 0, 0
	for i := range x.files {
		f, id := &x.files[i], x.messages[i].ID
		if _, ok := numbers[f.id.Device]; !ok {
			if len(devices) > math.MaxUint8 {
				return nil
			}
			numbers[f.id.Device] = uint8(len(devices))
			devices = append(devices, f.id.Device)
		}
		names += len(f.name)
		if !startsWith(f.name, id) {
			ids += len(id)
		}
		if len(f.name) > math.MaxUint16 || len(id) >= ownID {
			return nil
		}
	}
	size := indexHead + 8*len(devices) + indexRecord*len(x.files) + 4*len(x.unsettled) + len(boot) + len(root) + names + ids + 4
	le := binary.LittleEndian
	b := make([]byte, 0, len(indexMagic)+size)
	b = append(b, indexMagic...)
	b = le.AppendUint64(b, uint64(size))
	for _, n := range []int{len(boot), len(root), len(x.files), len(x.unsettled), len(devices)} {
		b = le.AppendUint32(b, uint32(n))
	}
	b = le.AppendUint64(b, uint64(names))
	b = le.AppendUint64(b, uint64(ids))
	whole := uint64(0)
	if x.whole {
		whole = 1
	}
	b = le.AppendUint64(b, whole)
	b = le.AppendUint64(b, x.home.Device)
	b = le.AppendUint64(b, x.home.Inode)
	for _, t := range x.folders {
		b = le.AppendUint64(b, t.id.Device)
		b = le.AppendUint64(b, t.id.Inode)
		b = le.AppendUint64(b, uint64(t.modified))
		b = le.AppendUint64(b, uint64(t.changed))
	}
	for _, d := range devices {
		b = le.AppendUint64(b, d)
	}
	for i := range x.files {
		f, id := &x.files[i], x.messages[i].ID
		idLength := len(id)
		if startsWith(f.name, id) {
			idLength |= ownID
		}
		b = le.AppendUint64(b, f.id.Inode)
		b = le.AppendUint64(b, uint64(f.mtime))
		b = le.AppendUint64(b, uint64(f.length))
		b = le.AppendUint64(b, uint64(x.messages[i].Size))
		b = le.AppendUint16(b, uint16(len(f.name)))
		b = le.AppendUint16(b, uint16(idLength))
		b = append(b, f.folder, numbers[f.id.Device], 0, 0)
	}
	for _, i := range x.unsettled {
		b = le.AppendUint32(b, uint32(i))
	}
	b = append(b, boot...)
	b = append(b, root...)
	for i := range x.files {
		b = append(b, x.files[i].name...)
	}
	for i := range x.files {
		if id := x.messages[i].ID; !startsWith(x.files[i].name, id) {
			b = append(b, id...)
		}
	}
	return le.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

func startsWith(name string, id pop3.UniqueID) bool {
	return len(name) >= len(id) && name[:len(id)] == string(id)
}

// An indexReader takes numbers from the front of octets.
type indexReader struct{ left []byte }

func (r *indexReader) u64() uint64 {
	n := binary.LittleEndian.Uint64(r.left)
	r.left = r.left[8:]
	return n
}

func (r *indexReader) u32() uint32 {
	n := binary.LittleEndian.Uint32(r.left)
	r.left = r.left[4:]
	return n
}

func (r *indexReader) take(n uint64) []byte {
	b := r.left[:n]
	r.left = r.left[n:]
	return b
}

func (r *indexReader) id() vfs.FileID { return vfs.FileID{Device: r.u64(), Inode: r.u64()} }

// parseIndex returns the snapshot of an index. It is whole only in the time since
// the machine started in which it was written: what was not synced before may be gone,
// and the times of the folders need not tell. It keeps no part of b.
func parseIndex(b []byte, root, boot string) (*snapshot, error) {
	b, ok := bytes.CutPrefix(b, []byte(indexMagic))
	if !ok || len(b) < indexHead+4 {
		return nil, errIndex
	}
	all, sum := b[:len(b)-4], binary.LittleEndian.Uint32(b[len(b)-4:])
	r := &indexReader{all}
	if r.u64() != uint64(len(b)) || crc32.Update(crc32.Checksum([]byte(indexMagic), castagnoli), castagnoli, all) != sum {
		return nil, errIndex
	}
	// Lengths of 32 bits cannot overflow in sums of 64, nor can those of 48.
	bootLength, rootLength := uint64(r.u32()), uint64(r.u32())
	count, unsettled, devices := uint64(r.u32()), uint64(r.u32()), uint64(r.u32())
	nameOctets, idOctets := r.u64(), r.u64()
	whole := r.u64() == 1
	if nameOctets > 1<<48 || idOctets > 1<<48 || uint64(len(b)) !=
		indexHead+8*devices+indexRecord*count+4*unsettled+bootLength+rootLength+nameOctets+idOctets+4 {
		return nil, errIndex
	}
	x := &snapshot{home: r.id()}
	for i := range x.folders {
		x.folders[i] = folderTime{r.id(), int64(r.u64()), int64(r.u64())}
	}
	deviceNumbers := make([]uint64, devices)
	for i := range deviceNumbers {
		deviceNumbers[i] = r.u64()
	}
	records := r.take(indexRecord * count)
	for range unsettled {
		i := r.u32()
		if uint64(i) >= count {
			return nil, errIndex
		}
		x.unsettled = append(x.unsettled, int32(i))
	}
	sameBoot := string(r.take(bootLength)) == boot && boot != ""
	if string(r.take(rootLength)) != root {
		return nil, errIndex
	}
	names := r.take(nameOctets)
	if bytes.IndexByte(names, '/') >= 0 || bytes.IndexByte(names, 0) >= 0 {
		return nil, errIndex
	}
	x.whole = whole && sameBoot
	return x, x.readRecords(records, string(names), string(r.take(idOctets)), deviceNumbers)
}

// readRecords fills in the messages. Names and ids are parts of two long strings.
func (x *snapshot) readRecords(records []byte, names, ids string, devices []uint64) error {
	le := binary.LittleEndian
	n := len(records) / indexRecord
	x.messages, x.files = make([]maildrop.Message, n), make([]file, n)
	for i := range n {
		r := records[i*indexRecord : (i+1)*indexRecord]
		nameLength, idLength := int(le.Uint16(r[32:])), int(le.Uint16(r[34:]))
		folder, device := r[36], int(r[37])
		if nameLength > len(names) || int(folder) >= len(folderNames) || device >= len(devices) || nameLength == 0 || names[0] == '.' {
			return errIndex
		}
		f := &x.files[i]
		f.name, names = names[:nameLength], names[nameLength:]
		f.id = vfs.FileID{Device: devices[device], Inode: le.Uint64(r)}
		f.mtime, f.length, f.folder = int64(le.Uint64(r[8:])), int64(le.Uint64(r[16:])), folder
		m := &x.messages[i]
		m.Size = int64(le.Uint64(r[24:]))
		from := &ids
		if idLength&ownID != 0 {
			idLength &^= ownID
			own := f.name
			from = &own
		}
		if idLength == 0 || idLength > pop3.MaxUniqueID || idLength > len(*from) || m.Size < 0 || f.length < 0 {
			return errIndex
		}
		m.ID, *from = pop3.UniqueID((*from)[:idLength]), (*from)[idLength:]
	}
	if names != "" || ids != "" {
		return errIndex
	}
	return nil
}
