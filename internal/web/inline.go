package web

import (
	"encoding/base64"
	"io"
	"net/http"
	"slices"

	"postfach/internal/message"
)

const (
	maxPicture  = 2 << 20 // octets of one picture in HTML
	maxPictures = 8 << 20 // and of all together
)

// An inliner puts pictures of a message into its HTML.
type inliner struct {
	message *message.Message
	octets  int // that may still come
}

// picture returns the part with this Content-ID as a data: address. It must look
// like what browsers have shown for decades without running anything; what the
// sender calls it does not count.
func (in *inliner) picture(id string) (string, bool) {
	one := find(in.message.Root, id)
	if one == nil || id == "" {
		return "", false
	}
	r, err := in.message.Content(one)
	if err != nil {
		return "", false
	}
	octets, err := io.ReadAll(io.LimitReader(r, maxPicture+1))
	if err != nil || len(octets) > min(maxPicture, in.octets) {
		return "", false
	}
	kind := http.DetectContentType(octets)
	if !slices.Contains([]string{"image/png", "image/jpeg", "image/gif", "image/webp"}, kind) {
		return "", false
	}
	in.octets -= len(octets)
	return "data:" + kind + ";base64," + base64.StdEncoding.EncodeToString(octets), true
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
