/** Debugging of a guest with GDB, through its remote serial protocol. */
module io.vmm4j.gdb {
  requires static org.jspecify;
  requires transitive io.vmm4j.api;
  requires io.netty.buffer;
  requires io.netty.common;
  requires io.netty.transport;
  requires io.vmm4j.socket;
  requires org.slf4j;

  exports io.vmm4j.gdb;
}
