/** Listening sockets: what the servers through which a machine is reached have in common. */
@SuppressWarnings("module") // those it is for are compiled later
module io.vmm4j.socket {
  requires static org.jspecify;
  requires transitive io.netty.buffer;
  requires transitive io.netty.common;
  requires transitive io.netty.transport;
  requires static io.netty.transport.classes.epoll;
  requires static io.netty.transport.unix.common;
  requires org.slf4j;

  exports io.vmm4j.socket to
      io.vmm4j.control,
      io.vmm4j.gdb,
      io.vmm4j.vsock;
}
