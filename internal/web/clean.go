package web

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/microcosm-cc/bluemonday"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
	"golang.org/x/net/idna"

	"postfach/internal/message"
)

// HTML mail is read into a tree, where pictures and links are replaced by
// harmless ones, and what is written of the tree passes bluemonday last, which
// lets through only what is listed here.

// hostClass marks the hosts behind links. Classes of the sender do not survive,
// so that nobody else can use it.
const hostClass = "postfach-host"

// A cleaner makes one HTML text harmless.
type cleaner struct {
	// pictures returns a data: address for a Content-ID.
	pictures func(id string) (address string, ok bool)
	left     int // remote pictures that were left out
}

// clean returns the body of an HTML text. An error: it cannot be read, which is
// so for nesting of more than 512 elements.
func (c *cleaner) clean(text string) (string, error) {
	doc, err := html.Parse(strings.NewReader(text))
	if err != nil {
		return "", err
	}
	c.walk(doc)
	var b strings.Builder
	if err := html.Render(&b, doc); err != nil {
		return "", err
	}
	return mailPolicy().Sanitize(b.String()), nil
}

// walk changes the children of a node. The parser bounds the depth.
func (c *cleaner) walk(n *html.Node) {
	for child := n.FirstChild; child != nil; {
		next := child.NextSibling
		if child.Type == html.ElementNode {
			c.element(n, child)
		} else if child.Type == html.TextNode {
			child.Data = visible(child.Data)
		}
		child = next
	}
}

// visible takes out what reorders or hides text. Lines stay lines.
func visible(s string) string { return message.Printable(strings.ReplaceAll(s, "\r", "")) }

func (c *cleaner) element(parent, n *html.Node) {
	if dropped(n.DataAtom) || n.Namespace != "" { // SVG and MathML are languages of their own
		parent.RemoveChild(n)
		return
	}
	n.Attr = slices.DeleteFunc(n.Attr, func(a html.Attribute) bool { return a.Key == "class" || a.Key == "id" || a.Key == "name" })
	c.walk(n)
	switch n.DataAtom {
	case atom.Img:
		c.picture(parent, n)
	case atom.A, atom.Area:
		link(parent, n)
	}
}

// dropped elements go with what is in them.
func dropped(a atom.Atom) bool {
	return slices.Contains([]atom.Atom{
		atom.Script, atom.Style, atom.Head, atom.Title, atom.Noscript, atom.Template, atom.Iframe, atom.Frame, atom.Frameset, atom.Noframes, atom.Noembed,
		atom.Object, atom.Embed, atom.Applet, atom.Link, atom.Meta, atom.Base, atom.Svg, atom.Math, atom.Select, atom.Textarea, atom.Input,
		atom.Audio, atom.Video, atom.Source, atom.Track, atom.Canvas,
	}, a)
}

// picture puts a picture of the message in the place of its address. A remote
// one would tell its sender that the message was read: its description stands
// for it.
func (c *cleaner) picture(parent, n *html.Node) {
	address := attr(n, "src")
	scheme, rest, _ := strings.Cut(strings.TrimSpace(address), ":")
	switch strings.ToLower(scheme) {
	case "data":
		return // mailPolicy decides
	case "cid":
		if id, err := url.PathUnescape(rest); err == nil {
			if data, ok := c.pictures(id); ok {
				setAttr(n, "src", data)
				return
			}
		}
	default:
		c.left++
	}
	if alt := strings.TrimSpace(attr(n, "alt")); alt != "" {
		parent.InsertBefore(&html.Node{Type: html.TextNode, Data: "[" + visible(alt) + "]"}, n)
	}
	parent.RemoveChild(n)
}

// link makes a link say where it really leads, and leads there as it was
// understood here, not as it was written.
func link(parent, n *html.Node) {
	u, err := url.Parse(strings.TrimSpace(attr(n, "href")))
	n.Attr = slices.DeleteFunc(n.Attr, func(a html.Attribute) bool { return a.Key == "href" || a.Key == "target" || a.Key == "rel" })
	if err != nil {
		return
	}
	where := ""
	switch u.Scheme = strings.ToLower(u.Scheme); {
	case (u.Scheme == "http" || u.Scheme == "https") && u.Host != "":
		host := u.Hostname() // not that of an IPv6 address, which has no business in a mail
		if len(host) > maxHost {
			return
		}
		ascii, err := hostnames().ToASCII(host)
		if err != nil {
			return
		}
		where, u.User = ascii, nil // "https://bank.example@evil.example/"
		if port := u.Port(); port != "" {
			ascii += ":" + port
		}
		u.Host = ascii
	case u.Scheme == "mailto":
		where, _, _ = strings.Cut(u.Opaque, "?")
	default:
		return
	}
	n.Attr = append(n.Attr, html.Attribute{Key: "href", Val: u.String()})
	host := &html.Node{Type: html.ElementNode, Data: "span", DataAtom: atom.Span, Attr: []html.Attribute{{Key: "class", Val: hostClass}}}
	host.AppendChild(&html.Node{Type: html.TextNode, Data: " [" + message.PrintableLine(where) + "]"})
	parent.InsertBefore(host, n.NextSibling)
}

// maxHost is the longest name of a host in octets. To write one in ASCII takes
// the square of its length.
const maxHost = 253

// hostnames are written in ASCII, so that letters that look alike do not.
func hostnames() *idna.Profile {
	return idna.New(idna.MapForLookup(), idna.Transitional(false), idna.StrictDomainName(false)) // names with "_" are in use
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func setAttr(n *html.Node, key, value string) {
	n.Attr = slices.DeleteFunc(n.Attr, func(a html.Attribute) bool { return a.Key == key })
	n.Attr = append(n.Attr, html.Attribute{Key: key, Val: value})
}

// mailPolicy is what HTML mail may hold. It has no way to load anything.
var mailPolicy = sync.OnceValue(func() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements(
		"a", "abbr", "address", "article", "aside", "b", "big", "blockquote", "br", "caption", "center", "cite", "code", "col", "colgroup", "dd", "del", "details",
		"dfn", "div", "dl", "dt", "em", "figcaption", "figure", "font", "footer", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "i", "img", "ins", "kbd", "li",
		"main", "mark", "nav", "ol", "p", "pre", "q", "s", "samp", "section", "small", "span", "strike", "strong", "sub", "summary", "sup", "table", "tbody", "td",
		"tfoot", "th", "thead", "tr", "tt", "u", "ul", "var", "wbr",
	)
	p.AllowNoAttrs().OnElements("a", "font", "span")
	p.RequireParseableURLs(true)
	p.AllowURLSchemes("http", "https", "mailto")
	p.AllowDataURIImages()
	p.AllowAttrs("href").Matching(regexp.MustCompile(`^(https?|mailto):`)).OnElements("a")
	p.AllowAttrs("src").Matching(regexp.MustCompile(`^data:image/(png|jpeg|gif|webp);base64,`)).OnElements("img")
	p.RequireNoReferrerOnLinks(true)
	p.AddTargetBlankToFullyQualifiedLinks(true)
	p.AllowAttrs("class").Matching(regexp.MustCompile("^" + hostClass + "$")).OnElements("span")
	p.AllowAttrs("alt", "title").OnElements("img", "a", "abbr", "td", "th")
	p.AllowAttrs("width", "height").Matching(bluemonday.NumberOrPercent).OnElements("img", "table", "td", "th", "col", "colgroup", "hr")
	p.AllowAttrs("border", "cellpadding", "cellspacing", "hspace", "vspace").Matching(bluemonday.Integer).OnElements("img", "table")
	p.AllowAttrs("colspan", "rowspan", "span").Matching(regexp.MustCompile(`^[0-9]{1,3}$`)).OnElements("td", "th", "col", "colgroup")
	p.AllowAttrs("align").Matching(regexp.MustCompile(`(?i)^(left|right|center|justify|top|middle|bottom)$`)).Globally()
	p.AllowAttrs("valign").Matching(bluemonday.CellVerticalAlign).Globally()
	p.AllowAttrs("dir").Matching(bluemonday.Direction).Globally()
	p.AllowAttrs("lang").Matching(regexp.MustCompile(`^[A-Za-z0-9-]{1,20}$`)).Globally()
	color := regexp.MustCompile(`^(#[0-9A-Fa-f]{3,8}|[A-Za-z]{3,30})$`)
	p.AllowAttrs("bgcolor").Matching(color).OnElements("table", "tr", "td", "th", "tbody", "thead")
	p.AllowAttrs("color").Matching(color).OnElements("font")
	p.AllowAttrs("size").Matching(regexp.MustCompile(`^[+-]?[1-7]$`)).OnElements("font")
	p.AllowAttrs("face").Matching(regexp.MustCompile(`^[A-Za-z0-9 ,-]{1,80}$`)).OnElements("font")
	p.AllowAttrs("type").Matching(bluemonday.ListType).OnElements("ol", "ul", "li")
	p.AllowAttrs("start", "value").Matching(bluemonday.Integer).OnElements("ol", "li")
	// Nothing here takes an address or leaves its place.
	p.AllowStyles(
		"color", "background-color", "font-family", "font-size", "font-style", "font-weight", "line-height", "letter-spacing", "text-align", "text-decoration",
		"text-transform", "white-space", "direction", "padding", "padding-top", "padding-right", "padding-bottom", "padding-left",
		"border", "border-top", "border-right", "border-bottom", "border-left", "border-color", "border-style", "border-width", "border-collapse", "border-spacing",
		"border-radius", "width", "max-width", "min-width", "height", "max-height", "display", "float", "clear", "list-style-type",
	).Globally()
	// Nor is anything pushed away from the host that stands behind it.
	p.AllowStyles("margin", "margin-top", "margin-right", "margin-bottom", "margin-left").Matching(regexp.MustCompile(`^[0-9A-Za-z.% ]{1,40}$`)).Globally()
	p.AllowStyles("vertical-align").MatchingEnum("baseline", "top", "middle", "bottom", "sub", "super", "text-top", "text-bottom").Globally()
	return p
})
