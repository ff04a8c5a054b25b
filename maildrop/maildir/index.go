package maildir

import (
	"cmp"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"math"
	"strings"

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
//	unsettled                                   4 each
//	boot, root, names, ids
//	messages: inode, time, length, size         8, 8, 8, 8 each
//	  octets of the name, of the id             2, 2
//	  folder, device, two zeros                 1, 1, 1, 1
//	CRC-32C of all before                       4
//
// An id that is the beginning of the name has no octets of its own: see ownID.
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

// An indexSize is what stands before the messages of an index.
type indexSize struct {
	devices    []uint64
	numbers    map[uint64]uint8 // where each device stands
	names, ids int              // octets
}

// sizeIndex returns what the index of a snapshot begins with. false: it has more than the
// format can say, or less, where a file is gone.
func sizeIndex(x *snapshot) (z indexSize, ok bool) {
	z.numbers = map[uint64]uint8{}
	for i := range x.files {
		f, id := &x.files[i], x.messages[i].ID
		if _, ok := z.numbers[f.id.Device]; !ok {
			if len(z.devices) > math.MaxUint8 {
				return z, false
			}
			z.numbers[f.id.Device] = uint8(len(z.devices))
			z.devices = append(z.devices, f.id.Device)
		}
		z.names += len(f.name)
		if !startsWith(f.name, id) {
			z.ids += len(id)
		}
		if f.gone() || len(f.name) > math.MaxUint16 || len(id) >= ownID {
			return z, false
		}
	}
	return z, true
}

// An indexWriter writes an index in parts, so that it is never in memory as a whole. The
// first error ends it.
type indexWriter struct {
	to  io.Writer
	buf []byte
	sum uint32 // CRC-32C of what is behind buf
	err error
}

// room returns a buffer to append to.
func (w *indexWriter) room() []byte {
	if len(w.buf) >= indexPart {
		w.flush()
	}
	return w.buf
}

func (w *indexWriter) flush() {
	w.sum = crc32.Update(w.sum, castagnoli, w.buf)
	if w.err == nil {
		_, w.err = w.to.Write(w.buf)
	}
	w.buf = w.buf[:0]
}

// indexPart is about how much is written at a time.
const indexPart = 64 << 10

// writeIndexTo writes the index of a snapshot.
func writeIndexTo(to io.Writer, x *snapshot, z indexSize, root, boot string) error {
	le := binary.LittleEndian
	w := &indexWriter{to: to, buf: make([]byte, 0, indexPart+1<<10)}
	size := indexHead + 8*len(z.devices) + indexRecord*len(x.files) + 4*len(x.unsettled) + len(boot) + len(root) + z.names + z.ids + 4
	b := append(w.buf, indexMagic...)
	b = le.AppendUint64(b, uint64(size))
	for _, n := range []int{len(boot), len(root), len(x.files), len(x.unsettled), len(z.devices)} {
		b = le.AppendUint32(b, uint32(n))
	}
	b = le.AppendUint64(b, uint64(z.names))
	b = le.AppendUint64(b, uint64(z.ids))
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
	for _, d := range z.devices {
		b = le.AppendUint64(b, d)
	}
	w.buf = b
	for _, i := range x.unsettled {
		w.buf = le.AppendUint32(w.room(), uint32(i))
	}
	w.buf = append(append(w.room(), boot...), root...)
	for i := range x.files {
		w.buf = append(w.room(), x.files[i].name...)
	}
	for i := range x.files {
		if id := x.messages[i].ID; !startsWith(x.files[i].name, id) {
			w.buf = append(w.room(), id...)
		}
	}
	for i := range x.files {
		w.buf = appendRecord(w.room(), &x.files[i], &x.messages[i], z.numbers)
	}
	w.flush()
	w.buf = le.AppendUint32(w.buf, w.sum)
	w.flush()
	return w.err
}

// appendRecord appends one message.
func appendRecord(b []byte, f *file, m *maildrop.Message, numbers map[uint64]uint8) []byte {
	le := binary.LittleEndian
	idLength := len(m.ID)
	if startsWith(f.name, m.ID) {
		idLength |= ownID
	}
	b = le.AppendUint64(b, f.id.Inode)
	b = le.AppendUint64(b, uint64(f.mtime))
	b = le.AppendUint64(b, uint64(f.length))
	b = le.AppendUint64(b, uint64(m.Size))
	b = le.AppendUint16(b, uint16(len(f.name)))
	b = le.AppendUint16(b, uint16(idLength))
	return append(b, f.folder, numbers[f.id.Device], 0, 0)
}

func startsWith(name string, id pop3.UniqueID) bool {
	return len(name) >= len(id) && name[:len(id)] == string(id)
}

// An indexReader reads numbers and texts, of which each part is in memory for a
// moment only.
type indexReader struct {
	from io.Reader
	buf  []byte // what was read and not taken
	all  []byte // the buffer that buf is part of
	sum  uint32 // CRC-32C of what was taken
	err  error  // the first one: then all that is taken is zero
}

// indexBuffer is the most that next can return.
const indexBuffer = 256 << 10

func newIndexReader(from io.Reader, size int64) *indexReader {
	return &indexReader{from: from, all: make([]byte, min(size, indexBuffer))}
}

// next returns the next n octets, until it is called again.
func (r *indexReader) next(n int) []byte {
	if n > len(r.all) {
		r.all, r.err = make([]byte, n), errIndex
	}
	if len(r.buf) < n && r.err == nil {
		kept := copy(r.all, r.buf)
		var read int
		read, r.err = io.ReadAtLeast(r.from, r.all[kept:], n-kept)
		r.buf = r.all[:kept+read]
	}
	if r.err != nil {
		clear(r.all[:n])
		return r.all[:n]
	}
	b := r.buf[:n]
	r.buf = r.buf[n:]
	r.sum = crc32.Update(r.sum, castagnoli, b)
	return b
}

func (r *indexReader) u64() uint64 { return binary.LittleEndian.Uint64(r.next(8)) }

func (r *indexReader) u32() uint32 { return binary.LittleEndian.Uint32(r.next(4)) }

func (r *indexReader) id() vfs.FileID { return vfs.FileID{Device: r.u64(), Inode: r.u64()} }

// text returns so many octets.
func (r *indexReader) text(n uint64) string {
	var b strings.Builder
	b.Grow(int(n))
	for n > 0 && r.err == nil {
		part := r.next(int(min(n, uint64(len(r.all)))))
		b.Write(part)
		n -= uint64(len(part))
	}
	return b.String()
}

// parseIndex returns the snapshot of an index of so many octets. It is whole only in
// the time since the machine started in which it was written: what was not synced
// before may be gone, and the times of the folders need not tell.
func parseIndex(from io.Reader, size int64, root, boot string) (*snapshot, error) {
	if size < int64(len(indexMagic)+indexHead+4) {
		return nil, errIndex
	}
	r := newIndexReader(from, size)
	if string(r.next(len(indexMagic))) != indexMagic || r.u64() != uint64(size)-uint64(len(indexMagic)) {
		return nil, cmp.Or(r.err, errIndex)
	}
	// Lengths of 32 bits cannot overflow in sums of 64, nor can those of 48.
	bootLength, rootLength := uint64(r.u32()), uint64(r.u32())
	count, unsettled, devices := uint64(r.u32()), uint64(r.u32()), uint64(r.u32())
	nameOctets, idOctets := r.u64(), r.u64()
	whole := r.u64() == 1
	if nameOctets > 1<<48 || idOctets > 1<<48 || uint64(size) !=
		uint64(len(indexMagic))+indexHead+8*devices+indexRecord*count+4*unsettled+bootLength+rootLength+nameOctets+idOctets+4 {
		return nil, cmp.Or(r.err, errIndex)
	}
	x := &snapshot{home: r.id(), text: int64(nameOctets + idOctets), held: int64(nameOctets + idOctets)}
	for i := range x.folders {
		x.folders[i] = folderTime{r.id(), int64(r.u64()), int64(r.u64())}
	}
	deviceNumbers := make([]uint64, devices)
	for i := range deviceNumbers {
		deviceNumbers[i] = r.u64()
	}
	for range unsettled {
		i := r.u32()
		if uint64(i) >= count {
			return nil, errIndex
		}
		x.unsettled = append(x.unsettled, int32(i))
	}
	sameBoot := r.text(bootLength) == boot && boot != ""
	if r.text(rootLength) != root {
		return nil, cmp.Or(r.err, errIndex)
	}
	x.whole = whole && sameBoot
	names, ids := r.text(nameOctets), r.text(idOctets)
	if strings.IndexByte(names, '/') >= 0 || strings.IndexByte(names, 0) >= 0 {
		return nil, errIndex
	}
	if err := x.readRecords(r, int(count), names, ids, deviceNumbers); err != nil {
		return nil, err
	}
	if sum := r.sum; r.u32() != sum || r.err != nil {
		return nil, cmp.Or(r.err, errIndex)
	}
	return x, nil
}

// readRecords fills in the messages. Names and ids are parts of two long strings.
func (x *snapshot) readRecords(r *indexReader, n int, names, ids string, devices []uint64) error {
	x.messages, x.files = make([]maildrop.Message, n), make([]file, n)
	for from := 0; from < n; {
		records := r.next(min(n-from, len(r.all)/indexRecord) * indexRecord)
		if r.err != nil {
			return r.err
		}
		for ; len(records) > 0; from++ {
			if !x.readRecord(from, records[:indexRecord], &names, &ids, devices) {
				return errIndex
			}
			records = records[indexRecord:]
		}
	}
	if names != "" || ids != "" {
		return errIndex
	}
	return nil
}

// readRecord fills in one message, and takes its name and id from the front of the
// others. false: that cannot be.
func (x *snapshot) readRecord(i int, r []byte, names, ids *string, devices []uint64) bool {
	le := binary.LittleEndian
	nameLength, idLength := int(le.Uint16(r[32:])), int(le.Uint16(r[34:]))
	folder, device := r[36], int(r[37])
	if nameLength == 0 || nameLength > len(*names) || (*names)[0] == '.' || int(folder) >= len(folderNames) || device >= len(devices) {
		return false
	}
	name := (*names)[:nameLength]
	*names = (*names)[nameLength:]
	from := ids
	if idLength&ownID != 0 {
		idLength &^= ownID
		own := name
		from = &own
	}
	if idLength == 0 || idLength > pop3.MaxUniqueID || idLength > len(*from) {
		return false
	}
	x.messages[i] = maildrop.Message{ID: pop3.UniqueID((*from)[:idLength]), Size: int64(le.Uint64(r[24:]))}
	*from = (*from)[idLength:]
	x.files[i] = file{
		name: name, id: vfs.FileID{Device: devices[device], Inode: le.Uint64(r)},
		mtime: int64(le.Uint64(r[8:])), length: int64(le.Uint64(r[16:])), folder: folder,
	}
	return x.messages[i].Size >= 0 && x.files[i].length >= 0
}
