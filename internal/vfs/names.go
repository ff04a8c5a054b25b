package vfs

// inOnePart is Folder.Names where a folder is read at once.
func inOnePart(read func() ([]string, error)) (next func() ([]string, error)) {
	done := false
	return func() ([]string, error) {
		if done {
			return nil, nil
		}
		done = true
		return read()
	}
}
