/// What the authority signs to let a node run again that a plan has stopped and that hears no more
/// of it.
package func holdMessage(cluster: ClusterID, node: NodeID) -> [UInt8] {
  Array("muster release hold v1".utf8) + [0] + cluster.bytes.bytes + node.bytes.bytes
}
