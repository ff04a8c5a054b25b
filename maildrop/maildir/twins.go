package maildir

// nameTwins makes the unique-ids durable that names do not say: where several
// files have one base, a flag that is set, or a file that goes, must not make
// one of them inherit the id of another. A client would skip it, or delete it
// unread. So goal 1, no mail is lost, wins over "files are served as they are".
// Open does it, under the lock, before anybody sees the ids.
//
// Where it fails, in a folder that cannot be written to, the message is served
// with the same id, which stays the same while the file does, and it reports false.
func (d *drop) nameTwins(messages []*entry) bool {
	var namings []*naming
	for _, e := range messages {
		if e.misnamed() && !e.doubt {
			namings = append(namings, &naming{entry: e, id: e.id})
			for other := e.further; other != nil; other = other.further {
				namings = append(namings, &naming{entry: other, id: e.id})
			}
		}
	}
	d.giveNames(namings)
	var failed []*naming
	for _, n := range namings {
		if n.err != nil {
			failed = append(failed, n)
		}
	}
	if len(failed) > 0 {
		d.store.log().Warn("files with the name of another cannot be renamed",
			"count", len(failed), "first", failed[0].entry.place().path(d.root), "error", failed[0].err)
	}
	return len(failed) == 0
}
