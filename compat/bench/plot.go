package bench

import (
	"errors"
	"fmt"
	"image/color"
	"io"

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

// WritePlot draws the CPU that a cycle takes over the number of sessions
// cached: a line for each daemon and number of clients, with the spread of the
// rounds. The form is SVG.
func (r *Report) WritePlot(w io.Writer) error {
	p := r.emptyPlot()
	lines := 0
	for i, clients := range r.clients() {
		dashes := []vg.Length{vg.Points(float64(4 * i)), vg.Points(float64(2 * i))}[:min(2*i, 2)]
		for _, l := range []line{
			{"scached, " + count(clients, "client"), r.points(clients, func(m *Metric) Series { return m.Ours }), oursColor, dashes},
			{"scache, " + count(clients, "client"), r.points(clients, func(m *Metric) Series { return m.Reference }), referenceColor, dashes},
		} {
			if len(l.points.XYs) == 0 {
				continue
			}
			if err := l.addTo(p); err != nil {
				return fmt.Errorf("plot: %w", err)
			}
			lines++
		}
	}
	if lines == 0 {
		return errors.New("plot: the load was not measured")
	}
	p.Y.Max *= 1.1  // keeps the highest spread clear of the frame
	p.X.Max *= 1.05 // and the last number
	canvas := vgsvg.New(16*vg.Centimeter, 10*vg.Centimeter)
	p.Draw(draw.New(canvas))
	if _, err := canvas.WriteTo(w); err != nil {
		return fmt.Errorf("plot: %w", err)
	}
	return nil
}

func (r *Report) emptyPlot() *plot.Plot {
	p := plot.New()
	p.Title.Text = "CPU of the daemon a cycle of four requests"
	p.Title.Padding = vg.Points(8)
	p.X.Label.Text = "sessions cached"
	p.Y.Label.Text = "µs (median, lowest to highest round)"
	p.Y.Min = 0
	p.Legend.Top, p.Legend.Left = true, true
	p.Legend.XOffs, p.Legend.Padding = vg.Points(8), vg.Points(3)
	for _, style := range []*text.Style{&p.Title.TextStyle, &p.X.Label.TextStyle, &p.Y.Label.TextStyle,
		&p.X.Tick.Label, &p.Y.Tick.Label, &p.Legend.TextStyle} {
		style.Font.Variant = "Sans"
	}
	var ticks plot.ConstantTicks
	for _, c := range r.Load {
		if c.Clients == r.Load[0].Clients {
			ticks = append(ticks, plot.Tick{Value: float64(c.Sessions), Label: fmt.Sprint(c.Sessions)})
		}
	}
	p.X.Tick.Marker = ticks
	p.Add(plotter.NewGrid())
	return p
}

// clients are the numbers of clients that were measured, in order.
func (r *Report) clients() (numbers []int) {
	for _, c := range r.Load {
		if c.Sessions == r.Load[0].Sessions && c.Pause == 0 {
			numbers = append(numbers, c.Clients)
		}
	}
	return numbers
}

// points are medians with their spread.
type points struct {
	plotter.XYs
	plotter.YErrors
}

func (r *Report) points(clients int, of func(*Metric) Series) (p points) {
	for _, c := range r.Load {
		if s := of(c.CPU); c.Clients == clients && c.Pause == 0 && len(s) > 0 {
			median := s.Median()
			p.XYs = append(p.XYs, plotter.XY{X: float64(c.Sessions), Y: median})
			p.YErrors = append(p.YErrors, struct{ Low, High float64 }{median - s.Min(), s.Max() - median})
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
