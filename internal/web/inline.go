package web

import (
	"encoding/base64"
	"io"
	"net/http"
	"slices"

	"postfach/internal/message"
)

const (
	maxPicture  = 2 << 20  // octets of one picture in HTML
	maxPictures = 12 << 20 // octets of all addresses together: base64 takes a third more
)

// An inliner puts pictures of a message into its HTML.
type inliner struct {
	message *message.Message
	octets  int // of addresses that may still come
	// read holds what was asked for by its Content-ID; empty: it cannot be shown.
	// HTML may ask for one picture a hundred thousand times.
	read map[string]string
}

// picture returns the part with this Content-ID as a data: address.
func (in *inliner) picture(id string) (string, bool) {
	address, ok := in.read[id]
	if !ok {
		address = in.load(id)
	}
	if len(address) > in.octets {
		address = ""
	}
	in.read[id] = address
	in.octets -= len(address)
	return address, address != ""
}

// load reads a picture. It must look like what browsers have shown for decades
// without running anything; what the sender calls it does not count.
func (in *inliner) load(id string) string {
	one := find(in.message.Root, id)
	if one == nil || id == "" {
		return ""
	}
	r, err := in.message.Content(one)
	if err != nil {
		return ""
	}
	octets, err := io.ReadAll(io.LimitReader(r, maxPicture+1))
	if err != nil || len(octets) > maxPicture {
		return ""
	}
	kind := http.DetectContentType(octets)
	if !slices.Contains([]string{"image/png", "image/jpeg", "image/gif", "image/webp"}, kind) {
		return ""
	}
	return "data:" + kind + ";base64," + base64.StdEncoding.EncodeToString(octets)
}

// find returns the leaf with this Content-ID.
func find(p *message.Part, id string) *message.Part {
	if p == nil {
		return nil
	}
	if p.ID == id && len(p.Parts) == 0 {
		return p
	}
	for _, child := range p.Parts {
		if found := find(child, id); found != nil {
			return found
		}
	}
	return nil
}
