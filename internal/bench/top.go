package bench

import (
	"context"
	"strconv"

	"postfach/internal/popwire"
)

// topSession reads the start of all messages of a maildrop.
func topSession(ctx context.Context, w *worker, user string, account int) error {
	return w.allMessages(ctx, user, account, func(c *conn, sizes []int64) train {
		known := w.sums.of(account, "TOP", len(sizes))
		k := strconv.Itoa(w.Lines)
		return train{
			command: func(dst []byte, i int) []byte {
				dst = append(append(dst, "TOP "...), strconv.Itoa(i+1)...)
				return popwire.EndLine(append(append(dst, ' '), k...))
			},
			reply: func(i int) error {
				got, err := c.message("TOP", i+1)
				if err != nil {
					return err
				}
				w.octets += got.size
				v := foreign
				if w.Lines == 0 {
					v = got.header()
				}
				if got.size > sizes[i]+2 { // two: the empty line, where the message has none
					w.mistakes.add(user, "TOP %d %d has %d octets, LIST says that all of it has %d", i+1, w.Lines, got.size, sizes[i])
				}
				w.judge(user, "TOP", i+1, v, same(&known[i], got.digest()))
				return nil
			},
		}
	})
}
