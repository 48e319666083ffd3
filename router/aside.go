package router

// Aside has what may wait for the disk or another router be called by aside: the goroutine of who makes a link may have
// others to care for. It comes before any link is made.
func (r *Router) Aside(aside func(wait func())) { r.waits = aside }

// aside calls what may wait.
func (r *Router) aside(wait func() error) (err error) {
	if r.waits == nil {
		return wait()
	}
	r.waits(func() { err = wait() })
	return err
}
