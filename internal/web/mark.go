package web

import (
	"context"
	"net/http"
	"slices"

	"postfach/internal/explain"
	"postfach/internal/explore"
)

// mark marks or unmarks: the one message whose button was pressed, else those
// that are ticked.
func mark(v *visit) error {
	for _, button := range []struct {
		field  string
		marked bool
	}{{"mark", true}, {"unmark", false}} {
		keys, err := v.formKeys(button.field)
		if err != nil {
			return err
		}
		if len(keys) > 0 {
			return v.mark(keys, button.marked)
		}
	}
	do := v.r.PostForm.Get("do")
	if do == "unmark-all" {
		return v.mark(keysOf(v.account.e.Marked()), false)
	}
	keys, err := v.formKeys("key")
	if err != nil {
		return err
	}
	if len(keys) == 0 {
		return badRequest("No message is ticked")
	}
	return v.mark(keys, do != "unmark")
}

// mark changes marks and remembers what it really changed, for undo.
func (v *visit) mark(keys []explore.Key, marked bool) error {
	e := v.account.e
	changed := slices.DeleteFunc(keys, func(k explore.Key) bool {
		entry, ok := e.Entry(k)
		return ok && entry.Marked == marked
	})
	if len(changed) == 0 {
		v.redirect(v.back())
		return nil
	}
	if err := v.setMarks(changed, marked); err != nil {
		return err
	}
	v.account.setStep(&step{keys: changed, marked: marked})
	v.redirect(v.back())
	return nil
}

func (v *visit) setMarks(keys []explore.Key, marked bool) error {
	if marked {
		return v.account.e.Mark(keys...)
	}
	return v.account.e.Unmark(keys...) // never without keys: that would take all marks away
}

// undo takes the last change of marks back. Undone twice, it is done again.
func undo(v *visit) error {
	s := v.account.lastStep()
	if s == nil {
		return &failure{Status: http.StatusConflict, Title: "There is nothing to undo"}
	}
	if err := v.setMarks(s.keys, !s.marked); err != nil {
		return err
	}
	v.account.setStep(&step{keys: s.keys, marked: !s.marked})
	v.redirect(v.back())
	return nil
}

// stagedPage lists exactly what will be deleted.
type stagedPage struct {
	Rows   []row
	Keys   []string // what Commit is given: these and no others
	Octets int64
}

func showStaged(v *visit) error {
	p := &stagedPage{}
	for _, e := range v.account.e.Marked() {
		p.Rows = append(p.Rows, newRow(v.account, e, v.account.path("m/"+formatKey(e.Key))))
		p.Keys = append(p.Keys, formatKey(e.Key))
		p.Octets += e.Size
	}
	v.show("staged", "Marked for deletion", http.StatusOK, p)
	return nil
}

// An outcome is what the last deletion did, with what was said.
type outcome struct {
	explore.Outcome
	Refused []refused
	Failure *failure
	Lines   []explain.Line
}

type refused struct {
	Entry explore.Entry
	Why   string
}

// commit deletes what the person was shown, for good. It goes on when the
// browser has gone: the outcome is kept for it.
func commit(v *visit) error {
	keys, err := v.formKeys("keys")
	if err != nil {
		return err
	}
	if len(keys) == 0 {
		return badRequest("No message is marked")
	}
	a := v.account
	before := a.e.Marked()
	_, line := a.e.Log(0)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(v.r.Context()), v.face.limits.commit)
	defer cancel()
	done, err := a.e.Commit(ctx, keys)
	if err != nil && nothingDone(done) {
		return err
	}
	o := &outcome{Outcome: done}
	if err != nil {
		o.Failure = failureOf(err, v.language())
	}
	for _, e := range before { // in the order of the list
		if why := done.Refused[e.Key]; why != nil {
			o.Refused = append(o.Refused, refused{e, why.Error()})
		}
	}
	o.Lines, _ = a.e.Log(line)
	a.mu.Lock()
	a.outcome, a.step = o, nil
	a.mu.Unlock()
	v.redirect(a.path("outcome"))
	return nil
}

func nothingDone(o explore.Outcome) bool {
	return len(o.Deleted)+len(o.Refused)+len(o.Gone)+len(o.Changed)+len(o.Unknown) == 0
}

func showOutcome(v *visit) error {
	v.account.mu.Lock()
	o := v.account.outcome
	v.account.mu.Unlock()
	if o == nil {
		return &failure{Status: http.StatusNotFound, Title: "Nothing was deleted yet"}
	}
	v.show("outcome", "What was deleted", http.StatusOK, o)
	return nil
}

func keysOf(entries []explore.Entry) []explore.Key {
	var keys []explore.Key
	for _, e := range entries {
		keys = append(keys, e.Key)
	}
	return keys
}
