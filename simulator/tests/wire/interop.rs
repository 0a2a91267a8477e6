//! A client that was written by others, against the simulator on TCP.

use passline_modbus::point::Table;
use passline_simulator::device::Device;
use tokio_modbus::client::{Reader, Writer, tcp};
use tokio_modbus::{ExceptionCode, Slave};

use crate::support::{image, line, listen};

#[tokio::test]
async fn tokio_modbus_reads_and_writes() {
    let mut image = image();
    image.set_words(Table::Holding, 20, &[7; 125]).unwrap();
    let line = line(Device::new(image));
    let (listener, address) = listen().await;
    tokio::spawn(line.serve(listener, std::future::pending()));
    let mut client = tcp::connect_slave(address, Slave(1)).await.unwrap();

    let coils = client.read_coils(0, 10).await.unwrap().unwrap();
    assert_eq!(coils, [true, false].repeat(5));
    assert_eq!(client.read_discrete_inputs(16, 8).await.unwrap().unwrap(), [true; 8]);
    let words = client.read_input_registers(100, 3).await.unwrap().unwrap();
    assert_eq!(words, [0x0A0B, 0xFFFF, 0x8000]);
    assert_eq!(client.read_holding_registers(20, 125).await.unwrap().unwrap(), [7; 125]);

    client.write_single_coil(1, true).await.unwrap().unwrap();
    client.write_multiple_coils(2, &[false, true]).await.unwrap().unwrap();
    let coils = client.read_coils(0, 5).await.unwrap().unwrap();
    assert_eq!(coils, [true, true, false, true, true]);
    client.write_single_register(0, 0xAA55).await.unwrap().unwrap();
    client.masked_write_register(0, 0xF0F0, 0x0F00).await.unwrap().unwrap();
    client.write_multiple_registers(1, &[1, 2]).await.unwrap().unwrap();
    let words = client.read_write_multiple_registers(0, 4, 3, &[9]).await.unwrap().unwrap();
    assert_eq!(words, [0xAF50, 1, 2, 9]);

    let refused = client.read_holding_registers(10, 1).await.unwrap();
    assert_eq!(refused, Err(ExceptionCode::IllegalDataAddress));
    let refused = client.read_holding_registers(0, 126).await.unwrap();
    assert_eq!(refused, Err(ExceptionCode::IllegalDataValue));
}
