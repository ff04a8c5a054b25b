package explore

import (
	"slices"
	"sync"
)

// A storedCache is what the Explorer remembers of loaded messages: a person goes
// back and forth between a few, and a face asks for each of their parts. The zero
// value is empty.
type storedCache struct {
	mu      sync.Mutex            // guards what follows
	kept    []*content            // the one that was used last is the last
	loading map[Key]chan struct{} // closed when it is loaded, or is not
	closed  bool
}

// What is remembered at most; messages that are in use may be more.
const (
	keptMessages = 16
	keptOctets   = 64 << 20
)

// get returns the content of a message, which the caller releases; or nil and a
// channel that is closed when somebody else has loaded it; or nil twice: then the
// caller loads it and must call put. A message that is not in the list, or
// has another size than it had, is not the one that is remembered: servers exist
// that give a unique-id twice.
func (s *storedCache) get(k Key, announced int64, listed bool) (c *content, loaded <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.use(k, announced, listed); c != nil {
		return c, nil
	}
	if loaded, ok := s.loading[k]; ok {
		return nil, loaded
	}
	if s.loading == nil {
		s.loading = make(map[Key]chan struct{})
	}
	s.loading[k] = make(chan struct{})
	return nil, nil
}

// find is get for those who do not wait and do not load.
func (s *storedCache) find(k Key, announced func(Key) (int64, bool)) *content {
	size, listed := announced(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.use(k, size, listed)
}

func (s *storedCache) use(k Key, announced int64, listed bool) *content {
	i := slices.IndexFunc(s.kept, func(c *content) bool { return c.key == k })
	if i < 0 {
		return nil
	}
	c := s.kept[i]
	s.kept = slices.Delete(s.kept, i, i+1)
	if !listed || c.announced != announced {
		c.release()
		return nil
	}
	s.kept = append(s.kept, c)
	c.retain()
	return c
}

// put ends what get began. c is nil when the message could not be loaded.
func (s *storedCache) put(k Key, c *content) {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.loading[k])
	delete(s.loading, k)
	if c == nil || s.closed {
		return
	}
	c.retain()
	s.kept = append(s.kept, c)
	for len(s.kept) > keptMessages || s.octets() > keptOctets {
		s.kept[0].release()
		s.kept = slices.Delete(s.kept, 0, 1)
	}
}

func (s *storedCache) octets() (sum int64) {
	for _, c := range s.kept {
		sum += c.size
	}
	return sum
}

// close forgets all of them; the Explorer's Close calls it. Those that are in use
// live until they are released.
func (s *storedCache) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for _, c := range s.kept {
		c.release()
	}
	s.kept = nil
}
