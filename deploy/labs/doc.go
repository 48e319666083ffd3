// Package labs holds scripts that try a network of routers on one machine, as docs/network.md retells, and the test that they
// succeed. [three-routers.sh] and [redundant-path.sh] are for people to read and run:
//
//	make build && MANIFOLD=bin/manifold deploy/labs/three-routers.sh
//
// [three-routers.sh]: https://github.com/manifoldmq/manifold/blob/main/deploy/labs/three-routers.sh
// [redundant-path.sh]: https://github.com/manifoldmq/manifold/blob/main/deploy/labs/redundant-path.sh
package labs
