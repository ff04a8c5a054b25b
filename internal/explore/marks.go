package explore

// Mark marks messages for deletion, here. Either all of them are marked, or none
// and an error says why: ErrReadOnly, ErrGone, or ErrAway for a message that has
// no unique-id to be known by in the next session.
func (e *Explorer) Mark(keys ...Key) error {
	if e.a.ReadOnly {
		return ErrReadOnly
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.idle.look()
	if e.committing {
		return ErrCommitting
	}
	for _, k := range keys {
		if _, ok := e.list.index[k]; !ok {
			return ErrGone
		}
		if k.bound() && !e.open() {
			return ErrAway
		}
	}
	for _, k := range keys {
		e.list.mark(&e.list.rows[e.list.index[k]], true)
	}
	e.bell.ring()
	return nil
}

// Unmark takes marks away; without keys all of them. What is not marked stays so.
func (e *Explorer) Unmark(keys ...Key) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.idle.look()
	if e.committing {
		return ErrCommitting
	}
	for _, k := range keys {
		if i, ok := e.list.index[k]; ok {
			e.list.mark(&e.list.rows[i], false)
		}
	}
	if len(keys) == 0 {
		for i := range e.list.rows {
			e.list.mark(&e.list.rows[i], false)
		}
	}
	e.bell.ring()
	return nil
}

// Marked returns the staged list: what Commit will delete.
func (e *Explorer) Marked() []Entry {
	e.mu.Lock()
	defer e.mu.Unlock()
	var marked []Entry
	for i := range e.list.rows {
		if r := &e.list.rows[i]; r.marked {
			marked = append(marked, e.entry(r))
		}
	}
	return marked
}
