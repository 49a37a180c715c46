/** Virtio sockets of a machine as UNIX-domain sockets of the host. */
module io.vmm4j.vsock {
  requires static org.jspecify;
  requires transitive io.vmm4j.api;
  requires io.vmm4j.socket;
  requires org.slf4j;

  exports io.vmm4j.vsock;
}
