/** Networks to which the network cards of machines are connected. */
module io.vmm4j.network {
  requires static org.jspecify;
  requires transitive io.vmm4j.api;
  requires org.slf4j;

  exports io.vmm4j.network;

  provides io.vmm4j.api.network.NetworkFactory with
      io.vmm4j.network.UserNetworkFactory;
}
