package bench

import (
	"errors"
	"fmt"
	"image/color"
	"io"
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

var (
	oursColor      = color.RGBA{R: 0x1f, G: 0x77, B: 0xb4, A: 0xff}
	referenceColor = color.RGBA{R: 0xd6, G: 0x27, B: 0x28, A: 0xff}
)

// patterns tell families of lines apart.
var patterns = [][]vg.Length{nil, {4, 2}, {1, 2}, {8, 2, 1, 2}}

// WriteSessionsPlot draws the CPU that a cycle takes over the number of sessions
// cached, without pauses: lines for each number of clients. The form is SVG.
func (r *Report) WriteSessionsPlot(w io.Writer) error {
	p := emptyPlot()
	p.X.Label.Text = "sessions cached"
	var families []family
	var ticks plot.ConstantTicks
	for _, c := range r.Load {
		if c.Pause > 0 {
			continue
		}
		families = addTo(families, count(c.Clients, "client"), c)
		if tick := (plot.Tick{Value: float64(c.Sessions), Label: strconv.Itoa(c.Sessions)}); !slices.Contains(ticks, tick) {
			ticks = append(ticks, tick)
		}
	}
	p.X.Tick.Marker = ticks
	err := drawFamilies(p, families, func(c *Case, _ func(*Metric) Series) float64 { return float64(c.Sessions) })
	if err != nil {
		return err
	}
	p.X.Max *= 1.05 // keeps the last number clear of the frame
	return writeSVG(p, w)
}

// WriteRatePlot draws the CPU that a cycle takes over how many there are in a
// second, of one client: lines for each number of sessions cached. The form is
// SVG.
func (r *Report) WriteRatePlot(w io.Writer) error {
	p := emptyPlot()
	p.X.Label.Text = "cycles a second, of one client"
	p.X.Tick.Marker = decades{1}
	var families []family
	for _, c := range r.Load {
		if c.Clients == 1 {
			families = addTo(families, count(c.Sessions, "session"), c)
		}
	}
	families = slices.DeleteFunc(families, func(f family) bool { return len(f.cases) < 2 })
	err := drawFamilies(p, families, func(c *Case, of func(*Metric) Series) float64 { return math.Log10(of(c.Rate).Median()) })
	if err != nil {
		return err
	}
	return writeSVG(p, w)
}

// A family is what a plot shows as one line for each daemon.
type family struct {
	name  string
	cases []*Case
}

func addTo(families []family, name string, c *Case) []family {
	i := slices.IndexFunc(families, func(f family) bool { return f.name == name })
	if i < 0 {
		i = len(families)
		families = append(families, family{name: name})
	}
	families[i].cases = append(families[i].cases, c)
	return families
}

func emptyPlot() *plot.Plot {
	p := plot.New()
	p.Title.Text = "CPU of the daemon a cycle of four requests"
	p.Title.Padding = vg.Points(8)
	p.Y.Label.Text = "µs (median, lowest to highest round)"
	p.Y.Tick.Marker = decades{1, 2, 5}
	p.Legend.Top, p.Legend.Left = true, true
	p.Legend.XOffs, p.Legend.Padding = vg.Points(8), vg.Points(3)
	for _, style := range []*text.Style{&p.Title.TextStyle, &p.X.Label.TextStyle, &p.Y.Label.TextStyle,
		&p.X.Tick.Label, &p.Y.Tick.Label, &p.Legend.TextStyle} {
		style.Font.Variant = "Sans"
	}
	p.Add(plotter.NewGrid())
	return p
}

// decades marks those multiples of each power of ten on an axis of decimal
// logarithms. The plot's own logarithmic scale leaves room for the label of an
// axis in the wrong place.
type decades []float64

func (multiples decades) Ticks(low, high float64) (ticks []plot.Tick) {
	for power := math.Floor(low); power <= high; power++ {
		for _, multiple := range multiples {
			value := multiple * math.Pow(10, power)
			if at := math.Log10(value); at >= low && at <= high {
				ticks = append(ticks, plot.Tick{Value: at, Label: strconv.FormatFloat(value, 'g', 6, 64)})
			}
		}
	}
	return ticks
}

// drawFamilies draws both daemons' lines. Where on the axis a point is may depend
// on the daemon that it is of.
func drawFamilies(p *plot.Plot, families []family, x func(*Case, func(*Metric) Series) float64) error {
	lines := 0
	for i, f := range families {
		for _, daemon := range []struct {
			name  string
			of    func(*Metric) Series
			color color.Color
		}{
			{"scached", func(m *Metric) Series { return m.Ours }, oursColor},
			{"scache", func(m *Metric) Series { return m.Reference }, referenceColor},
		} {
			drawn := pointsOf(f.cases, daemon.of, func(c *Case) float64 { return x(c, daemon.of) })
			if len(drawn.XYs) == 0 {
				continue
			}
			l := line{daemon.name + ", " + f.name, drawn, daemon.color, patterns[i%len(patterns)]}
			if err := l.addTo(p); err != nil {
				return fmt.Errorf("plot: %w", err)
			}
			lines++
		}
	}
	if lines == 0 {
		return errors.New("plot: the load was not measured")
	}
	p.Y.Min -= 0.1
	p.Y.Max += 0.13 * float64(lines) // room for the legend
	return nil
}

// points are the logarithms of medians, with their spread.
type points struct {
	plotter.XYs
	plotter.YErrors
}

func pointsOf(cases []*Case, of func(*Metric) Series, x func(*Case) float64) (p points) {
	for _, c := range cases {
		if s := of(c.CPU); len(s) > 0 {
			median := math.Log10(s.Median())
			p.XYs = append(p.XYs, plotter.XY{X: x(c), Y: median})
			p.YErrors = append(p.YErrors, struct{ Low, High float64 }{median - math.Log10(s.Min()), math.Log10(s.Max()) - median})
		}
	}
	return p
}

// A line is what a plot shows of one daemon.
type line struct {
	name   string
	points points
	color  color.Color
	dashes []vg.Length
}

func (l *line) addTo(p *plot.Plot) error {
	connected, marks, err := plotter.NewLinePoints(l.points)
	if err != nil {
		return err
	}
	spread, err := plotter.NewYErrorBars(l.points)
	if err != nil {
		return err
	}
	connected.Color, connected.Dashes = l.color, l.dashes
	marks.Color, marks.Shape = l.color, draw.CircleGlyph{}
	spread.Color = l.color
	p.Add(connected, marks, spread)
	p.Legend.Add(l.name, connected, marks)
	return nil
}

func writeSVG(p *plot.Plot, w io.Writer) error {
	canvas := vgsvg.New(16*vg.Centimeter, 12*vg.Centimeter)
	p.Draw(draw.New(canvas))
	if _, err := canvas.WriteTo(w); err != nil {
		return fmt.Errorf("plot: %w", err)
	}
	return nil
}
